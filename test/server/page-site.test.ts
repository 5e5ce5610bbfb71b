import { describe, expect, test } from "vitest";
import { isCrossSite } from "../../src/server/page-site.js";

describe("a browser that says Sec-Fetch-Site", () => {
  test.each([
    ["cross-site", true],
    ["same-site", false],
    ["same-origin", false],
    ["none", false],
  ])("Its word counts, whatever Origin and Host are: %s", (relation, expected) => {
    for (const [origin, host] of [
      ["https://shop.example", "shop.example"],
      ["https://other.test", "shop.example"],
      ["null", "shop.example"],
      [undefined, "shop.example"],
    ]) {
      const headers = { ...(origin && { origin }), host, "sec-fetch-site": relation };
      expect([origin, isCrossSite(headers)]).toEqual([origin, expected]);
    }
  });
});

describe("a browser that does not", () => {
  test.each([
    // The same host.
    ["http://devbox:5173", "devbox:4000", false],
    ["http://192.168.1.5:5173", "192.168.1.5:4000", false],
    ["https://shop.example", "SHOP.example", false],
    ["http://localhost:5173", "localhost:4000", false],
    ["http://[fe80::1]:5173", "[fe80::1]:4000", false],
    // Perhaps the same registrable domain.
    ["https://app.shop.example", "api.shop.example", false],
    ["https://shop.example", "api.shop.example", false],
    ["https://shop.co.uk", "other.co.uk", false],
    // Surely another one.
    ["https://shop.example", "other.example", true],
    ["https://shop.example", "shop.test", true],
    ["https://shop.example.evil.test", "shop.example", true],
    ["http://devbox:5173", "otherbox:4000", true],
    ["http://a.localhost:5173", "devbox:4000", true],
    // Names of one machine are different sites.
    ["http://localhost:5173", "127.0.0.1:4000", true],
    ["http://127.0.0.1:5173", "localhost:4000", true],
    ["http://[::1]:5173", "localhost:4000", true],
    ["http://[::1]:5173", "[::1]:4000", false],
    ["http://localhost:5173", "192.168.1.5:4000", true],
    // Addresses have no domain.
    ["http://192.168.1.5:5173", "10.0.1.5:4000", true],
    ["http://192.168.1.5:5173", "shop.example", true],
    // A browser would have said it to loopback: a proxy is in between.
    ["http://192.168.1.5:5173", "localhost:4000", false],
    ["http://devbox:5173", "127.0.0.1:4000", false],
    // Pages without a host.
    ["null", "localhost:4000", true],
    ["file://", "localhost:4000", true],
    ["capacitor://localhost", "localhost:4000", true],
  ])("Origin and Host are compared by site: %s and %s", (origin, host, expected) => {
    expect(isCrossSite({ origin, host })).toBe(expected);
    expect(isCrossSite({ origin, host, "sec-fetch-site": "unheard-of" })).toBe(expected);
  });

  test("A request without a page is of no other site.", () => {
    expect([
      isCrossSite({ host: "shop.example" }),
      isCrossSite({ origin: "" }),
      isCrossSite({}),
    ]).toEqual([false, false, false]);
  });
});
