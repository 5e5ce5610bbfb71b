/** Addresses of clients, and what of them belongs to whom: limits that count single IPv6 addresses would count nobody. */

const IPV4 = /^(\d{1,3}\.\d{1,3}\.\d{1,3})\.\d{1,3}$/;
/** Groups of an IPv6 address that name its network; the rest is the host's to choose. */
const NETWORK_GROUPS = 4;
const GROUPS = 8;

/** The block an address lies in: the /24 of an IPv4 address, the /64 of an IPv6 one. What is no address is its own block. */
export function addressBlock(ip: string): string {
  const network = IPV4.exec(ip)?.[1];
  if (network !== undefined) return `${network}.0/24`;
  if (!ip.includes(":")) return ip;
  const groups = groupsOf(ip).slice(0, NETWORK_GROUPS);
  return `${groups.map((group) => Number.parseInt(group, 16).toString(16)).join(":")}::/64`;
}

/** What one customer of a provider holds: an IPv4 address, or a whole /64, in which every connection may have another address. */
export const addressHolder = (ip: string): string => (IPV4.test(ip) ? ip : addressBlock(ip));

/** The eight groups of an IPv6 address, written out. */
function groupsOf(ip: string): string[] {
  const [plain = ""] = ip.split("%");
  const [before = "", after] = plain.split("::");
  const left = before === "" ? [] : before.split(":");
  if (after === undefined) return left;
  const right = after === "" ? [] : after.split(":");
  // An embedded IPv4 address stands for two groups.
  const rightGroups = right.length + Number(right.at(-1)?.includes(".") ?? false);
  return [...left, ...Array.from({ length: GROUPS - left.length - rightGroups }, () => "0"), ...right];
}
