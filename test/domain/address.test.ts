import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { addressBlock, addressHolder, normalAddress } from "../../src/domain/address.js";

const SEED = 20_261_129;

describe("the block of an address", () => {
  it.each([
    ["192.0.2.7", "192.0.2.0/24"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
    ["2001:DB8::1", "2001:db8:0:0::/64"],
    ["2001:0db8:0001::", "2001:db8:1:0::/64"],
    ["::1", "0:0:0:0::/64"],
    ["::", "0:0:0:0::/64"],
    ["fe80::1%eth0", "fe80:0:0:0::/64"],
    ["64:ff9b::192.0.2.7", "192.0.2.0/24"],
    ["1:2:3:4:5:6:192.0.2.7", "1:2:3:4::/64"],
    ["", ""],
    ["unknown", "unknown"],
  ])("The block of %j is %j.", (ip, block) => expect(addressBlock(ip)).toBe(block));

  it("The block is the same for every host of a network, in any spelling of its address.", () => {
    const group = fc.nat(0xffff).map((value) => value.toString(16));
    const groups = (length: number) => fc.array(group, { minLength: length, maxLength: length });
    fc.assert(
      fc.property(groups(4), groups(4), groups(4), (network, one, other) => {
        const padded = [...network, ...other]
          .map((part) => part.padStart(4, "0").toUpperCase())
          .join(":");
        expect(addressBlock([...network, ...one].join(":"))).toBe(addressBlock(padded));
      }),
    );
  });
});

/** An IPv4 address in the spellings that sockets and proxies use. */
function ipv4Spellings(octets: readonly number[]): string[] {
  const dotted = octets.join(".");
  const padded = octets.map((octet) => String(octet).padStart(3, "0")).join(".");
  const [high, low] = [0, 2].map((at) => ((octets[at]! << 8) | octets[at + 1]!).toString(16));
  const hex = `${high}:${low}`;
  const inIpv6 = ["::ffff:", "::FFFF:", "0:0:0:0:0:ffff:", "0000::ffff:", "::ffff:0:", "64:ff9b::"]
    .flatMap((prefix) => [`${prefix}${dotted}`, `${prefix}${hex}`, `${prefix}${hex.toUpperCase()}`])
    .concat(`2002:${hex}::1`, `2002:${hex}:ab:cd:1:2:3`);
  return [
    dotted,
    padded,
    `${dotted}:1234`,
    ` ${dotted} `,
    ...inIpv6,
    ...inIpv6.flatMap((ip) => [`[${ip}]`, `[${ip}]:80`, `${ip}%eth0`]),
  ];
}

/** An IPv6 address in several spellings. */
function ipv6Spellings(groups: readonly number[]): string[] {
  const hex = groups.map((group) => group.toString(16));
  const plain = hex.join(":");
  const zeroAt = hex.indexOf("0");
  const shortened =
    zeroAt === -1 ? [] : [`${hex.slice(0, zeroAt).join(":")}::${hex.slice(zeroAt + 1).join(":")}`];
  const padded = hex.map((group) => group.padStart(4, "0")).join(":");
  const dotted = `${hex.slice(0, 6).join(":")}:${groups
    .slice(6)
    .flatMap((group) => [group >> 8, group & 0xff])
    .join(".")}`;
  const all = [plain, padded, dotted, ...shortened, plain.toUpperCase()];
  return [
    ...all,
    ...all.flatMap((ip) => [`[${ip}]`, `[${ip}]:8080`, `${ip}%en0`, `[${ip}%25en0]:80`]),
  ];
}

describe("the normal spelling of an address", () => {
  const octets = fc.array(fc.nat(255), { minLength: 4, maxLength: 4 });
  // Two zeros in a row are common in addresses and rare among random numbers.
  const group = fc.oneof(fc.constant(0), fc.nat(0xffff));
  const groups = fc.tuple(
    fc.integer({ min: 0x2003, max: 0xffff }),
    fc.array(group, { minLength: 7, maxLength: 7 }),
  );
  const places = (spellings: readonly string[]) =>
    new Set(
      spellings.map((ip) => [normalAddress(ip), addressHolder(ip), addressBlock(ip)].join(" ")),
    );

  it("All spellings of an IPv4 address have one normal form, one holder and one block.", () => {
    fc.assert(
      fc.property(octets, (of) => {
        const block = `${of.slice(0, 3).join(".")}.0/24`;
        expect([...places(ipv4Spellings(of))]).toEqual([
          `${of.join(".")} ${of.join(".")} ${block}`,
        ]);
      }),
      { seed: SEED },
    );
  });

  it("All spellings of an IPv6 address have one normal form, one holder and one block.", () => {
    fc.assert(
      fc.property(groups, ([first, rest]) => {
        expect(places(ipv6Spellings([first, ...rest])).size).toBe(1);
      }),
      { seed: SEED },
    );
  });

  it.each([
    "",
    "unknown",
    "256.1.1.1",
    "1.2.3",
    "1.2.3.4.5",
    "::1::2",
    "1:2",
    "2001:db8::12345",
    "[::1",
    "<script>",
    "::ffff:1.2.3.256",
    "/tmp/s",
  ])("The address %j has no normal spelling.", (text) => expect(normalAddress(text)).toBe(""));

  it("A normal spelling is its own normal form.", () => {
    const any = fc.oneof(
      octets.map((of) => of.join(".")),
      groups.map(([first, rest]) => [first, ...rest].map((of) => of.toString(16)).join(":")),
    );
    fc.assert(
      fc.property(any, (ip) => {
        expect(normalAddress(normalAddress(ip))).toBe(normalAddress(ip));
      }),
      { seed: SEED },
    );
  });
});

describe("what one holder has", () => {
  it("A holder is an IPv4 address, or the /64 of an IPv6 one.", () => {
    expect([addressHolder("192.0.2.7"), addressHolder("2001:db8::7")]).toEqual([
      "192.0.2.7",
      "2001:db8:0:0::/64",
    ]);
  });
});
