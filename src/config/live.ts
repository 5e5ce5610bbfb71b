/** Subscriptions. */
import { SECOND } from "../domain/time/time.js";
import { count, type Parsed } from "./values.js";

export const liveVariables = {
  SLOW_SOCKET_MS: count(30 * SECOND, 100).describe(
    "longest that a WebSocket may lag behind its subscriptions before it is closed",
  ),
  CONFLATION_MS: count(100, 0).describe(
    "shortest time between two messages of one snapshot subscription",
  ),
};

export const toLive = (env: Parsed<typeof liveVariables>) => ({
  conflationMs: env.CONFLATION_MS,
  slowSocketMs: env.SLOW_SOCKET_MS,
});
