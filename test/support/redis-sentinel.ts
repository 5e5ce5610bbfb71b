/**
 * A Sentinel set on loopback: one primary, one replica of it, and three Sentinels that agree by
 * two.
 */
import { mkdir, writeFile } from "node:fs/promises";
import { Redis } from "ioredis";
import { findRedis } from "../../scripts/find.mjs";
import { freePort } from "../../scripts/free-port.mjs";
import { type GuardedChild, startGuarded } from "../../src/embedded/guarded-child.js";
import { temporaryFolder } from "./files.js";
import { type RedisServer, startRedisServer } from "./redis-server.js";
import { tlsFiles } from "./tls.js";
import { until, upUnlessEnded } from "./until.js";

const NAME = "shop";
const SENTINELS = 3;
const QUORUM = 2;
const DOWN_AFTER_MS = 1_000;
const FAILOVER_TIMEOUT_MS = 5_000;

/** A running set. */
export interface RedisSentinel {
  /** For config: names every Sentinel. */
  readonly url: string;
  /** The first primary and its replica; the second is the primary after a failover. */
  readonly servers: readonly [RedisServer, RedisServer];
  /** The server that the Sentinels take for the primary. */
  primary(): Promise<RedisServer>;
  /** Waits until the other server has everything that the primary has taken so far. */
  replicated(): Promise<void>;
  /** Has the Sentinels promote the replica; resolves once they have. */
  failover(): Promise<void>;
  stop(): Promise<void>;
}

/** What a set may differ in. */
interface SentinelOptions {
  /** More of the command line of both servers. */
  readonly args?: readonly string[];
  /** Sentinels and servers serve TLS alone. */
  readonly tls?: boolean;
}

interface Sentinel {
  readonly port: number;
  readonly child: GuardedChild;
  readonly link: Redis;
}

/** Starts the set and waits until every Sentinel sees the others and the replica. */
export async function startRedisSentinel({
  args = [],
  tls = false,
}: SentinelOptions = {}): Promise<RedisSentinel> {
  const prompt = [
    "--repl-diskless-sync-delay",
    "0",
    ...(tls ? ["--tls-replication", "yes"] : []),
    ...args,
  ];
  const certificates = tls ? { tls: tlsFiles } : {};
  const first = await startRedisServer({ ...certificates, args: prompt });
  const second = await startRedisServer({
    ...certificates,
    args: [...prompt, "--replicaof", "127.0.0.1", `${first.port}`],
  });
  const folder = await temporaryFolder("sentinel");
  const sentinels = await Promise.all(
    Array.from({ length: SENTINELS }, (_, at) =>
      startSentinel(`${folder.path}/${at}`, { primaryPort: first.port, tls }),
    ),
  );
  for (const { link } of sentinels)
    await until("the Sentinels to know each other", () => isWhole(link));
  const ask = (what: string): Promise<unknown> =>
    onServer({ url: `${tls ? "rediss" : "redis"}://127.0.0.1:${sentinels[0]?.port}` }, (link) =>
      link.call("SENTINEL", what, NAME),
    );
  const primary = async (): Promise<RedisServer> => {
    const [, port] = (await ask("GET-MASTER-ADDR-BY-NAME")) as [string, string];
    return Number(port) === first.port ? first : second;
  };
  const addresses = sentinels.map(({ port }) => `127.0.0.1:${port}`);
  return {
    url: `${tls ? "rediss" : "redis"}+sentinel://${addresses.join(",")}/${NAME}`,
    servers: [first, second],
    primary,
    replicated: async () =>
      void (await onServer(await primary(), async (link) => {
        // WAIT is about the writes of its own connection: this one comes after all earlier ones.
        await link.set("replicated", "");
        await until("the replica", async () => (await link.wait(1, 1_000)) === 1);
      })),
    async failover() {
      const before = await primary();
      await ask("FAILOVER");
      await until("another primary", async () => (await primary()) !== before);
    },
    async stop() {
      for (const { link } of sentinels) link.disconnect();
      await Promise.all(sentinels.map(({ child }) => child.stop()));
      // A server that a test has stopped cannot end.
      await Promise.all([first, second].map((server) => server.kill("SIGCONT").catch(() => {})));
      await Promise.all([first.stop(), second.stop()]);
      await folder.remove();
    },
  };
}

async function startSentinel(
  dir: string,
  { primaryPort, tls }: { primaryPort: number; tls: boolean },
): Promise<Sentinel> {
  const port = await freePort();
  await mkdir(dir);
  const lines = [
    ...(tls ? tlsLines(port) : [`port ${port}`]),
    "bind 127.0.0.1",
    `dir ${dir}`,
    `sentinel monitor ${NAME} 127.0.0.1 ${primaryPort} ${QUORUM}`,
    `sentinel down-after-milliseconds ${NAME} ${DOWN_AFTER_MS}`,
    `sentinel failover-timeout ${NAME} ${FAILOVER_TIMEOUT_MS}`,
  ];
  await writeFile(`${dir}/sentinel.conf`, `${lines.join("\n")}\n`);
  const args = [`${dir}/sentinel.conf`, "--sentinel"];
  const child = await startGuarded({
    command: findRedis() ?? "redis-server",
    args,
    stopSignal: "TERM",
  });
  const link = new Redis({
    host: "127.0.0.1",
    port,
    ...(tls ? { tls: { rejectUnauthorized: false } } : {}),
  });
  link.on("error", () => {});
  await upUnlessEnded(
    `a Sentinel on port ${port}`,
    child,
    async () => (await link.ping()) === "PONG",
  );
  return { port, child, link };
}

const tlsLines = (port: number): string[] => [
  "port 0",
  `tls-port ${port}`,
  `tls-cert-file ${tlsFiles.certFile}`,
  `tls-key-file ${tlsFiles.keyFile}`,
  `tls-ca-cert-file ${tlsFiles.caFile}`,
  "tls-auth-clients no",
  "tls-replication yes",
];

async function isWhole(link: Redis): Promise<boolean> {
  const [replicas, others] = (await Promise.all(
    ["REPLICAS", "SENTINELS"].map((what) => link.call("SENTINEL", what, NAME)),
  )) as [string[][], string[][]];
  return (
    replicas.length === 1 &&
    /master-link-status,ok/.test(String(replicas[0])) &&
    others.length === SENTINELS - 1
  );
}

async function onServer<T>(
  { url }: Pick<RedisServer, "url">,
  ask: (link: Redis) => Promise<T>,
): Promise<T> {
  const link = new Redis(
    url,
    url.startsWith("rediss") ? { tls: { rejectUnauthorized: false } } : {},
  );
  try {
    return await ask(link);
  } finally {
    link.disconnect();
  }
}
