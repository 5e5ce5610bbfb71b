/**
 * A `next` message as it goes over the wire: one text frame of RFC 6455, unmasked as servers
 * send it, around an operation id and bytes that all members of a group share.
 *
 * Written to the connection in one piece, beside ws: its sender frames every message anew and
 * writes prefix and text apart. That mixes as long as each writes whole frames at once, which ws
 * does without compression, and nothing is written after its close frame.
 */
import type { Duplex } from "node:stream";

const TEXT = 0x81;
/** A length of up to 125 stands in the second byte; these say that it follows in 2 or 8 bytes. */
const IN_TWO_BYTES = 126;
const IN_EIGHT_BYTES = 127;
/**
 * What is shorter is cheaper to copy than to write apart; what is longer stays shared until it
 * has left.
 */
const MAX_COPIED_BYTES = 4 * 1024;

/** The part of a message that differs: everything before the payload. */
export const framePrefix = (operationId: string): Buffer =>
  Buffer.from(`{"id":${JSON.stringify(operationId)},"type":"next","payload":`);

/** The part that is shared: the payload and what closes the message. */
export const framePayload = (payload: string): Buffer => Buffer.from(`${payload}}`);

/** Writes one message. */
export function writeFrame(stream: Duplex, prefix: Buffer, payload: Buffer): void {
  const length = prefix.length + payload.length;
  const copied = payload.length <= MAX_COPIED_BYTES;
  const frame = Buffer.allocUnsafe(
    headerBytes(length) + prefix.length + (copied ? payload.length : 0),
  );
  const at = writeHeader(frame, length);
  prefix.copy(frame, at);
  if (copied) {
    payload.copy(frame, at + prefix.length);
    stream.write(frame);
    return;
  }
  stream.cork();
  stream.write(frame);
  stream.write(payload);
  stream.uncork();
}

const headerBytes = (length: number): number =>
  length < IN_TWO_BYTES ? 2 : length < 2 ** 16 ? 4 : 10;

/** Answers where the message begins. */
function writeHeader(frame: Buffer, length: number): number {
  frame[0] = TEXT;
  if (length < IN_TWO_BYTES) {
    frame[1] = length;
    return 2;
  }
  if (length < 2 ** 16) {
    frame[1] = IN_TWO_BYTES;
    return frame.writeUInt16BE(length, 2);
  }
  frame[1] = IN_EIGHT_BYTES;
  return frame.writeBigUInt64BE(BigInt(length), 2);
}
