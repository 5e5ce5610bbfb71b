/** Who is shown the secrets of the embedded default. */
import type { IncomingHttpHeaders } from "node:http";
import type { Socket } from "node:net";
import { expect, it } from "vitest";
import { secretsFor } from "../../../src/server/explorer/demo-secrets.js";

const SECRETS = { adminToken: "t" };
const BROWSER = { "sec-fetch-site": "none", connection: "keep-alive" };
const shown = (
  remoteAddress: string | undefined,
  headers: IncomingHttpHeaders,
  httpVersion = "1.1",
): boolean =>
  secretsFor(
    { socket: { remoteAddress } as Socket, headers: { ...BROWSER, ...headers }, httpVersion },
    SECRETS,
  ) === SECRETS;

it.each([
  ["127.0.0.1", "localhost:4000"],
  ["::ffff:127.0.0.1", "127.0.0.1:4000"],
  ["127.8.0.1", "LOCALHOST"],
  ["::1", "[::1]:4000"],
])("A browser at %s that asks for %s sees them.", (address, host) => {
  expect(shown(address, { host })).toBe(true);
});

it.each([
  ["192.0.2.1", "localhost:4000", "is on another machine"],
  ["127.0.0.1", "attacker.example:4000", "was led here by a foreign name"],
  ["127.0.0.1", "localhost.attacker.example", "was led here by a name that begins alike"],
  ["127.0.0.1", "127.0.0.1.attacker.example", "was led here by a name like an address"],
  ["127.0.0.1", "", "names no host"],
  [undefined, "localhost:4000", "has no address"],
])("A browser at %s that asks for %s sees none: it %s.", (address, host, _why) => {
  expect(shown(address, { host })).toBe(false);
});

it.each([
  { origin: "http://localhost:5173" },
  { origin: "null" },
  { "sec-fetch-site": "cross-site" },
  { "sec-fetch-site": undefined },
  { connection: "close" },
  { "x-forwarded-proto": "https" },
  { "cf-connecting-ip": "192.0.2.1" },
  { forwarded: "for=192.0.2.1" },
  { via: "1.1 proxy" },
  { "x-forwarded-for": "192.0.2.1" },
  { "x-forwarded-host": "shop.example" },
  { "x-real-ip": "192.0.2.1" },
])("A page of another origin and a proxy see none: %j.", (headers) => {
  expect(shown("127.0.0.1", { host: "localhost:4000", ...headers })).toBe(false);
});

it("A page of ours leads to the secrets, a proxy of HTTP/1.0 does not.", () => {
  const host = "localhost:4000";
  expect(shown("127.0.0.1", { host, "sec-fetch-site": "same-origin" })).toBe(true);
  expect(shown("127.0.0.1", { host }, "1.0")).toBe(false);
});
