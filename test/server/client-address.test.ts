/**
 * Whose address a request has, over real connections: what anybody may write in a header counts
 * only where a proxy of ours wrote it.
 */
import { once } from "node:events";
import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { createClientAddress } from "../../src/server/client-address.js";

/**
 * The address that a server sees of a request, on a socket that takes IPv4 as `::ffff:127.0.0.1`.
 */
async function addressSeen(trusted: string[], forwardedFor?: string | string[]): Promise<string> {
  const read = createClientAddress(trusted);
  const server = createServer((incoming, answer) => void answer.end(read(incoming)));
  server.listen(0, "::");
  onTestFinished(() => void server.close());
  await once(server, "listening");
  const headers = forwardedFor === undefined ? {} : { "x-forwarded-for": forwardedFor };
  const sent = request({
    host: "127.0.0.1",
    port: (server.address() as AddressInfo).port,
    headers,
    agent: false,
  }).end();
  const [answer] = await once(sent, "response");
  let text = "";
  for await (const chunk of answer) text += String(chunk);
  return text;
}

describe("without proxies that are trusted", () => {
  it.each([undefined, "198.51.100.7", "198.51.100.7, 127.0.0.1", "::1"])(
    "Without trusted proxies, the header X-Forwarded-For: %s changes nothing.",
    async (header) => {
      expect(await addressSeen([], header)).toBe("127.0.0.1");
      expect(await addressSeen(["10.0.0.0/8"], header)).toBe("127.0.0.1");
    },
  );
});

describe("behind proxies that are trusted", () => {
  it.each<[string, string | string[] | undefined, string]>([
    ["the address that the proxy wrote", "198.51.100.7", "198.51.100.7"],
    [
      "the last one that is no proxy's, because what stands before it is hearsay",
      "203.0.113.9, 198.51.100.7, 10.1.2.3",
      "198.51.100.7",
    ],
    ["that of the last header of several", ["203.0.113.9", "198.51.100.7"], "198.51.100.7"],
    ["the IPv4 address within an IPv6 one", "::ffff:198.51.100.7", "198.51.100.7"],
    ["the IPv4 address within an IPv6 one in hexadecimal", "::ffff:cb00:7109", "203.0.113.9"],
    ["taken without the port that some proxies add", "198.51.100.7:4711", "198.51.100.7"],
    ["taken without brackets and port", "[2001:db8::7]:4711", "2001:db8::7"],
    ["the proxy's own where that knows no other", "203.0.113.9, unknown", "127.0.0.1"],
    ["the proxy's own where that sends no header", undefined, "127.0.0.1"],
    ["the proxy's own where that sends no address", "<script>", "127.0.0.1"],
  ])("The client's address behind trusted proxies is %s.", async (_title, header, expected) =>
    expect(await addressSeen(["127.0.0.1", "10.0.0.0/8"], header)).toBe(expected),
  );
});
