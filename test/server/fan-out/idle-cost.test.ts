/** What a subscriber holds, and how often its socket is written to. */
import { Duplex } from "node:stream";
import { setImmediate as nextTurn } from "node:timers/promises";
import { expect, test } from "vitest";
import { WebSocket } from "ws";
import { framePayload, framePrefix } from "../../../src/server/fan-out/frame.js";
import { SocketWriter } from "../../../src/server/fan-out/socket-writer.js";
import { WriteTurn } from "../../../src/server/fan-out/write-turn.js";

/** A stream that counts the writes that reach the system. */
class CountingStream extends Duplex {
  writes = 0;
  bytes = "";

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.count([chunk], done);
  }

  override _writev(chunks: { chunk: Buffer }[], done: () => void): void {
    this.count(
      chunks.map(({ chunk }) => chunk),
      done,
    );
  }

  private count(chunks: readonly Buffer[], done: () => void): void {
    this.writes += 1;
    this.bytes += Buffer.concat(chunks).toString("latin1");
    done();
  }
}

function writerTo(stream: Duplex, turn?: WriteTurn): SocketWriter {
  const socket = { OPEN: WebSocket.OPEN, readyState: WebSocket.OPEN } as WebSocket;
  return new SocketWriter({ socket, stream, close: () => {} }, 60_000, turn);
}

test("The prefix of a subscriber keeps no memory but its own.", () => {
  for (const id of ["1", "ü".repeat(30), "x".repeat(200)]) {
    const prefix = framePrefix(id);
    expect(String(prefix)).toBe(`{"id":"${id}","type":"next","payload":`);
    expect(prefix.buffer.byteLength).toBe(prefix.length);
  }
});

test("Frames of one turn leave in one write to each socket, in order.", async () => {
  const turn = new WriteTurn();
  const streams = [new CountingStream(), new CountingStream()];
  const writers = streams.map((stream) => writerTo(stream, turn));
  const writeAll = () => {
    for (let at = 0; at < 10; at += 1)
      for (const writer of writers) writer.write(framePrefix(`${at}`), framePayload(`${at}`));
  };
  writeAll();
  await nextTurn();
  expect(streams.map(({ writes }) => writes)).toEqual([1, 1]);
  writeAll();
  await nextTurn();
  expect(streams.map(({ writes }) => writes)).toEqual([2, 2]);
  const ids = [...(streams[0]?.bytes ?? "").matchAll(/"id":"(\d)"/g)].map(([, id]) => Number(id));
  expect(ids).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
});

test("A burst above the bound leaves at once, and does not make a fast socket slow.", () => {
  const stream = new CountingStream();
  const writer = writerTo(stream);
  const payload = framePayload(`"${"x".repeat(8 * 1024)}"`);
  for (let at = 0; at < 30; at += 1) writer.write(framePrefix("1"), payload);
  expect(writer.isFull).toBe(false);
  expect(stream.writes).toBeGreaterThan(0);
  expect(stream.writes).toBeLessThan(30);
});
