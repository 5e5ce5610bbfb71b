/**
 * The client's address, for HTTP requests and WebSocket upgrades
 * alike.
 *
 * `X-Forwarded-For` is read only behind a trusted proxy, and from
 * the right. Each proxy appends its caller, so the first
 * untrusted address is the client's. Everything before it can be
 * forged.
 */
import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import proxyAddr from "@fastify/proxy-addr";
import { normalAddress } from "../domain/address.js";

/**
 * The address of a request; "" where there is none, as on a Unix
 * socket.
 */
export type ClientAddress = (request: IncomingMessage) => string;

/** Of connections: theirs does not change. */
const ofSockets = new WeakMap<Socket, string>();

function addressOf(socket: Socket): string {
  let address = ofSockets.get(socket);
  if (address === undefined) {
    address = normalAddress(socket.remoteAddress ?? "");
    // One that is closed has none.
    if (address !== "") ofSockets.set(socket, address);
  }
  return address;
}

/** @param trustedProxies addresses or CIDR ranges */
export function createClientAddress(trustedProxies: readonly string[]): ClientAddress {
  if (trustedProxies.length === 0) return ({ socket }) => addressOf(socket);
  const trusted = proxyAddr.compile([...trustedProxies]);
  return (request) => {
    const addresses = proxyAddr
      .all(request, (address) => trusted(normalAddress(address), 0))
      .map(normalAddress);
    // A proxy may write "unknown"; then the nearest known address
    // counts.
    return addresses.findLast((address) => address !== "") ?? "";
  };
}
