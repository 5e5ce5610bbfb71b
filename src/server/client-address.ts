/**
 * The address of a client, read by one function for HTTP requests and for WebSocket upgrades.
 *
 * `X-Forwarded-For` is what anybody cares to write. It is read only where a proxy that we name has
 * passed the request on, and from the right: each proxy appends who called it, so the first address
 * that is none of ours is the client's, and what stands before it is hearsay.
 */
import type { IncomingMessage } from "node:http";
import proxyAddr from "@fastify/proxy-addr";
import { normalAddress } from "../domain/address.js";

/** Reads the address a request came from; "" when its connection has none, as on a Unix socket. */
export type ClientAddress = (request: IncomingMessage) => string;

/** @param trustedProxies addresses or CIDR ranges of proxies whose word is taken */
export function createClientAddress(trustedProxies: readonly string[]): ClientAddress {
  if (trustedProxies.length === 0) return ({ socket }) => normalAddress(socket.remoteAddress ?? "");
  const trusted = proxyAddr.compile([...trustedProxies]);
  return (request) => {
    const addresses = proxyAddr
      .all(request, (address) => trusted(normalAddress(address), 0))
      .map(normalAddress);
    // A proxy may write "unknown"; then it is itself the nearest that is known.
    return addresses.findLast((address) => address !== "") ?? "";
  };
}
