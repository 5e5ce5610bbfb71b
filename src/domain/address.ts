/**
 * Addresses of clients. Limits count IPv6 by /64: single
 * addresses would never reach one.
 *
 * One address has many spellings. Limits, blocks and trust
 * compare the normal one.
 */

const IPV4 = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/;
const IPV6 = /^[\da-f:]+(?:\d+\.\d+\.\d+\.\d+)?$/i;
const BRACKETED = /^\[([^\]]*)\](?::\d+)?$/;
const IPV4_WITH_PORT = /^([\d.]+):\d+$/;
const MAX_OCTET = 255;
/**
 * Groups of an IPv6 address that name its network; the rest
 * is the host's to choose.
 */
const NETWORK_GROUPS = 4;
const GROUPS = 8;

/**
 * The one spelling of an address: IPv4 in decimal, IPv6 by
 * RFC 5952. Ports, brackets and zones are dropped. IPv4
 * within IPv6 becomes IPv4. "" for what is no address.
 */
export function normalAddress(text: string): string {
  const bare = text.trim();
  const host = BRACKETED.exec(bare)?.[1] ?? IPV4_WITH_PORT.exec(bare)?.[1] ?? bare;
  const [address = ""] = host.split("%");
  if (!address.includes(":")) return normalIpv4(address);
  const url = `http://[${address}]/`;
  if (!IPV6.test(address) || !URL.canParse(url)) return "";
  const compressed = new URL(url).hostname.slice(1, -1);
  return embeddedIpv4(groupsOf(compressed)) ?? compressed;
}

/**
 * The block of an address: the /24 of IPv4, the /64 of IPv6.
 * What is no address is its own block.
 */
export function addressBlock(ip: string): string {
  const address = normalAddress(ip);
  if (address === "") return ip;
  if (!address.includes(":")) return `${address.slice(0, address.lastIndexOf("."))}.0/24`;
  const network = groupsOf(address).slice(0, NETWORK_GROUPS);
  return `${network.map((group) => group.toString(16)).join(":")}::/64`;
}

/**
 * What one customer of a provider holds: an IPv4 address, or
 * a whole /64 with a new address for each connection.
 */
export function addressHolder(ip: string): string {
  const address = normalAddress(ip);
  return address.includes(":") ? addressBlock(address) : address || ip;
}

/** Whether a host, as browsers spell it, is the user's own machine. */
export const isLoopbackName = (host: string): boolean => LOOPBACK_NAMES.has(host);

const LOOPBACK_NAMES: ReadonlySet<string> = new Set(["localhost", "127.0.0.1", "[::1]"]);

/** Leading zeros are decimal: proxies write no octal numbers. */
function normalIpv4(text: string): string {
  const octets = IPV4.exec(text)?.slice(1).map(Number) ?? [];
  return octets.length > 0 && octets.every((octet) => octet <= MAX_OCTET) ? octets.join(".") : "";
}

/** The eight groups of a compressed IPv6 address. */
function groupsOf(address: string): number[] {
  const [left = [], right = []] = address
    .split("::")
    .map((side) => side.split(":").filter(Boolean));
  const zeros = Array.from({ length: GROUPS - left.length - right.length }, () => "0");
  return [...left, ...zeros, ...right].map((group) => Number.parseInt(group, 16));
}

/** First groups of addresses whose last 32 bits are an IPv4 address. */
const IPV4_PREFIXES = [
  // IPv4-mapped, RFC 4291: shown by dual-stack sockets.
  [0, 0, 0, 0, 0, 0xffff],
  // IPv4-translated, RFC 2765.
  [0, 0, 0, 0, 0xffff, 0],
  // NAT64, RFC 6052.
  [0x64, 0xff9b, 0, 0, 0, 0],
];
/**
 * 6to4, RFC 3056: the second and third group are an IPv4
 * address. The holder of that address has all of the rest.
 */
const SIX_TO_FOUR = 0x2002;

function embeddedIpv4(groups: readonly number[]): string | null {
  if (groups[0] === SIX_TO_FOUR) return dotted(groups[1], groups[2]);
  const isIpv4 = IPV4_PREFIXES.some((prefix) => prefix.every((group, at) => groups[at] === group));
  return isIpv4 ? dotted(groups[6], groups[7]) : null;
}

const dotted = (high = 0, low = 0): string =>
  [high >> 8, high & 0xff, low >> 8, low & 0xff].join(".");
