import type { IncomingMessage, ServerResponse } from "node:http";
import { setImmediate as nextTurn } from "node:timers/promises";
import { expect, it } from "vitest";
import { inFairTurns } from "../../../src/server/http/fair-turns.js";

/** A listener that records the URLs of the requests it handles. */
function recorder(): { handle: (from: number, to: number) => void; handled: string[] } {
  const handled: string[] = [];
  const listener = inFairTurns((request) => {
    handled.push(request.url ?? "");
  });
  const handle = (from: number, to: number): void => {
    for (let n = from; n < to; n++) {
      listener({ url: `/${n}` } as unknown as IncomingMessage, {} as unknown as ServerResponse);
    }
  };
  return { handle, handled };
}

const urls = (to: number): string[] => Array.from({ length: to }, (_, n) => `/${n}`);

it("The first 32 requests of a poll phase run at once, the others later in order.", async () => {
  const { handle, handled } = recorder();
  handle(0, 100);
  expect(handled).toEqual(urls(32));
  await nextTurn();
  expect(handled).toEqual(urls(100));
});

it("A busy server handles 32 more requests in the next turn.", async () => {
  const { handle, handled } = recorder();
  handle(0, 40);
  await nextTurn();
  handle(40, 72);
  expect(handled).toEqual(urls(72));
});
