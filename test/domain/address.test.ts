import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { addressBlock, addressHolder } from "../../src/domain/address.js";

describe("the block of an address", () => {
  it.each([
    ["192.0.2.7", "192.0.2.0/24"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
    ["2001:DB8::1", "2001:db8:0:0::/64"],
    ["2001:0db8:0001::", "2001:db8:1:0::/64"],
    ["::1", "0:0:0:0::/64"],
    ["::", "0:0:0:0::/64"],
    ["fe80::1%eth0", "fe80:0:0:0::/64"],
    ["64:ff9b::192.0.2.7", "64:ff9b:0:0::/64"],
    ["1:2:3:4:5:6:192.0.2.7", "1:2:3:4::/64"],
    ["", ""],
    ["unknown", "unknown"],
  ])("of %j is %j", (ip, block) => expect(addressBlock(ip)).toBe(block));

  it("is the same for every host of a network, however its address is spelled", () => {
    const group = fc.nat(0xffff).map((value) => value.toString(16));
    const groups = (length: number) => fc.array(group, { minLength: length, maxLength: length });
    fc.assert(
      fc.property(groups(4), groups(4), groups(4), (network, one, other) => {
        const padded = [...network, ...other].map((part) => part.padStart(4, "0").toUpperCase()).join(":");
        expect(addressBlock([...network, ...one].join(":"))).toBe(addressBlock(padded));
      }),
    );
  });
});

describe("what one holder has", () => {
  it("is an IPv4 address, or the /64 of an IPv6 one", () => {
    expect([addressHolder("192.0.2.7"), addressHolder("2001:db8::7")]).toEqual(["192.0.2.7", "2001:db8:0:0::/64"]);
  });
});
