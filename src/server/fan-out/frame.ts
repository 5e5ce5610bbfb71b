/**
 * A `next` message as one unmasked text frame of RFC 6455: an
 * operation id, and bytes that subscribers share.
 *
 * Written in one piece, beside ws, which frames every message
 * anew. Both may write: each writes whole frames at once (no
 * compression), and nothing follows a close frame.
 */
import type { Duplex } from "node:stream";

const TEXT = 0x81;
/**
 * Lengths up to 125 fit the second byte; these announce 2 or 8
 * more.
 */
const IN_TWO_BYTES = 126;
const IN_EIGHT_BYTES = 127;
/**
 * Shorter payloads are cheaper to copy than to write apart;
 * longer ones stay shared.
 */
const MAX_COPIED_BYTES = 4 * 1024;

/**
 * The part before the payload, which differs. A subscription
 * keeps it. A slice of Node's shared pool would keep 8 KiB.
 */
export function framePrefix(operationId: string): Buffer {
  const text = `{"id":${JSON.stringify(operationId)},"type":"next","payload":`;
  const prefix = Buffer.allocUnsafeSlow(Buffer.byteLength(text));
  prefix.write(text);
  return prefix;
}

/** The shared part: the payload and the closing brace. */
export const framePayload = (payload: string): Buffer => Buffer.from(`${payload}}`);

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

/** Returns where the message begins. */
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
