/**
 * Requests take turns with the rest of the event loop.
 *
 * Under a flood libuv stays in its poll phase for seconds. Work
 * of the check phase (batched writes to Redis, cache reads) waits
 * meanwhile. So a poll phase handles a few requests and defers
 * others to the check phase.
 */
import type { RequestListener } from "node:http";

/** As many as a calm server sees: those wait for nothing. */
const MAX_PER_POLL = 32;

/** Keeps the order of requests. */
export function inFairTurns(handle: RequestListener): RequestListener {
  let handled = 0;
  const reset = (): void => {
    handled = 0;
  };
  return (request, response) => {
    if (handled === 0) setImmediate(reset);
    handled += 1;
    if (handled <= MAX_PER_POLL) handle(request, response);
    else setImmediate(handle, request, response);
  };
}
