/**
 * URLs of Redis: which servers, in which mode, as which
 * user.
 */
import { StartupError } from "../../domain/errors.js";

export interface RedisTarget {
  readonly mode: "standalone" | "sentinel" | "cluster";
  readonly nodes: readonly { readonly host: string; readonly port: number }[];
  /** Unix socket, instead of nodes. */
  readonly path?: string;
  readonly tls: boolean;
  readonly username?: string;
  readonly password?: string;
  readonly db: number;
  /** Name of the master that the Sentinels watch. */
  readonly master?: string;
}

export const DEFAULT_PORTS = { standalone: 6379, cluster: 6379, sentinel: 26379 } as const;

const HOW_TO_WRITE = "Write redis://user:password@host:6379/0, rediss:// for TLS, or unix:/path.";

const [SCHEME, USER, HOSTS_AND_PATH] = [
  /^redis(s?)(?:\+(cluster|sentinel))?:\/\//,
  /(?:([^:@/]*)(?::([^@/]*))?@)?/,
  /([^/?]+)(?:\/([^?]*))?/,
] as const;
const REDIS_URL = new RegExp(SCHEME.source + USER.source + HOSTS_AND_PATH.source);

/**
 * Reads a Redis URL. Throws StartupError, without the
 * password, when it is not one.
 */
export function parseRedisUrl(url: string): RedisTarget {
  if (url.startsWith("unix:"))
    return { mode: "standalone", nodes: [], path: url.slice("unix:".length), tls: false, db: 0 };
  const match = REDIS_URL.exec(url);
  if (!match) throw new StartupError(`A Redis URL is not valid. ${HOW_TO_WRITE}`);
  const [, secure, kind, username, password, hosts = "", path = ""] = match;
  const mode = (kind ?? "standalone") as RedisTarget["mode"];
  if (mode === "standalone" && !/^\d*$/.test(path))
    throw new StartupError(`A Redis URL names a database that is no number. ${HOW_TO_WRITE}`);
  return {
    mode,
    nodes: hosts.split(",").map((host) => parseHost(host, DEFAULT_PORTS[mode])),
    tls: secure === "s",
    db: mode === "standalone" ? Number(path || 0) : 0,
    ...(username ? { username: decode(username) } : {}),
    ...(password ? { password: decode(password) } : {}),
    ...(mode === "sentinel" ? { master: path || "mymaster" } : {}),
  };
}

/**
 * Percent-decodes a user or password, which no message may
 * show.
 */
function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new StartupError("A Redis URL holds a user or password with a bare %. Write it as %25.");
  }
}

function parseHost(text: string, defaultPort: number): { host: string; port: number } {
  const match = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d+))?$/.exec(text);
  const host = match?.[1] ?? match?.[2];
  if (!host)
    throw new StartupError(`A Redis URL names a host that is not valid: ${JSON.stringify(text)}.`);
  const port = Number(match?.[3] ?? defaultPort);
  if (port < 1 || port > 65_535)
    throw new StartupError(`A Redis URL names a port that does not exist: ${port}.`);
  return { host, port };
}

/**
 * Where a URL leads, in words that may be logged: no user,
 * no password.
 */
export function describeRedis(url: string): string {
  const { path, nodes, mode } = parseRedisUrl(url);
  const hosts = nodes.map(({ host, port }) => `${host}:${port}`).join(", ");
  return path ?? `${hosts}${mode === "standalone" ? "" : ` (${mode})`}`;
}
