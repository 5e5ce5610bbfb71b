/**
 * Requests take turns with the rest of the event loop.
 *
 * libuv stays in its poll phase while a thousand sockets are ready at once, for seconds under a
 * flood. What waits for the check phase (writes to Redis that leave together, batches of cache
 * reads) stands still meanwhile. So a poll phase handles some requests at once and leaves the
 * others to the check phase: reading a request alone is cheap, and the poll phase ends.
 */
import type { RequestListener } from "node:http";

/** As many as a calm server sees in one poll phase: those wait for nothing. */
const MAX_PER_POLL = 32;

/** Spreads the requests of a poll phase. Their order is kept. */
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
