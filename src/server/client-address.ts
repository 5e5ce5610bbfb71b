/**
 * The address of a client, read by one function for HTTP requests and for WebSocket upgrades.
 *
 * `X-Forwarded-For` is what anybody cares to write. It is read only where a proxy that we name has passed the request on, and from the
 * right: each proxy appends who called it, so the first address that is none of ours is the client's, and what stands before it is
 * hearsay.
 */
import type { IncomingMessage } from "node:http";
import { isIP } from "node:net";
import proxyAddr from "@fastify/proxy-addr";

/** Reads the address a request came from; "" when its connection has none, as on a Unix socket. */
export type ClientAddress = (request: IncomingMessage) => string;

/** @param trustedProxies addresses or CIDR ranges of proxies whose word is taken */
export function createClientAddress(trustedProxies: readonly string[]): ClientAddress {
  if (trustedProxies.length === 0) return ({ socket }) => canonical(socket.remoteAddress ?? "");
  const trusted = proxyAddr.compile([...trustedProxies]);
  return (request) => {
    const addresses = proxyAddr.all(request, (address) => trusted(canonical(address), 0)).map(canonical);
    // A proxy may write "unknown"; then it is itself the nearest that is known.
    return addresses.findLast((address) => isIP(address) !== 0) ?? "";
  };
}

/** One spelling for an address: without the port that some proxies add, and IPv4 as IPv4 on a socket that takes both. */
function canonical(address: string): string {
  const plain = /^\[(.+)\](?::\d+)?$/.exec(address)?.[1] ?? /^([\d.]+):\d+$/.exec(address)?.[1] ?? address;
  return /^::ffff:([\d.]+)$/i.exec(plain)?.[1] ?? plain;
}
