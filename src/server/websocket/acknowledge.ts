/** `connection_init`: the caller of a socket, and its acceptance. */
import { Overloaded, RateLimited } from "../../domain/errors.js";
import { own } from "../../domain/own.js";
import { isAcknowledged } from "../connection/connection.js";
import { acquirePermitOf, type Permit } from "../load.js";
import { type CallerSource, GUEST_HEADER, nonBlank, readClaim } from "../operation/caller.js";
import { authenticateSocket } from "./admission.js";
import type { SocketContext, SocketOperationDeps } from "./execution.js";

/**
 * Reads the caller of the socket from the init payload, or from
 * the upgrade's headers. False closes with 4403, unless the
 * socket is closed. A session that cannot be looked up closes
 * with 1013: the client reconnects.
 */
export async function acknowledge(
  deps: SocketOperationDeps,
  context: SocketContext,
): Promise<boolean> {
  const { callers, sessions, admission, counts } = deps;
  const { connection } = context.extra;
  const source = takeSource(context);
  const endsSeen = sessions.endsSeen();
  let permit: Permit | null = null;
  try {
    const claimed = readClaim(source, callers);
    permit = acquirePermitOf(deps, admission.payerOf(claimed.claim));
    const caller = await authenticateSocket(admission, claimed);
    if (caller.principal.kind === "unknown")
      connection.close(TRY_AGAIN_LATER, "The session cannot be looked up");
    // A closed socket would stay counted.
    if (!connection.isOpen) return false;
    if (!counts.countUserSocket(caller, connection))
      connection.close(TRY_AGAIN_LATER, "This user has too many sockets");
    else sessions.track(connection.acknowledge(caller), endsSeen);
  } catch (error) {
    if (error instanceof RateLimited || error instanceof Overloaded)
      connection.close(TRY_AGAIN_LATER, error.message);
  } finally {
    permit?.release();
  }
  return isAcknowledged(connection);
}

const TRY_AGAIN_LATER = 1013;

/** Takes the init payload out of the context, with the headers behind it. */
function takeSource(context: SocketContext): CallerSource {
  const { connection } = context.extra;
  const parameters = Object.entries(context.connectionParams ?? {}).filter(
    ([, value]) => nonBlank(value) !== undefined,
  );
  // graphql-ws would keep them for the life of the socket: up to
  // a frame.
  Object.assign(context, { connectionParams: undefined });
  const given = new Map(parameters.map(([name, value]) => [name.toLowerCase(), value]));
  return {
    get: (name) =>
      nonBlank(given.get(name === GUEST_HEADER ? "guest" : name) ?? own(connection.headers, name)),
    cookie: (name) => connection.cookie(name),
    ip: connection.ip,
    takesCookies: false,
    // Nothing is handed over by cookie here.
    isCrossSite: false,
  };
}
