/** A Redis Cluster of three primaries on loopback, put together with CLUSTER ADDSLOTSRANGE and CLUSTER MEET alone. */
import { Redis } from "ioredis";
import { freePort } from "./files.js";
import { type RedisServer, startRedisServer } from "./redis-server.js";
import { until } from "./until.js";

const SLOTS = 16_384;
const PRIMARIES = 3;
const NODE_TIMEOUT_MS = 2_000;

/** A running Cluster. */
export interface RedisCluster {
  /** For config: names one node, the others are found from it. */
  readonly url: string;
  readonly nodes: readonly RedisServer[];
  stop(): Promise<void>;
}

/** Starts three primaries that hold all slots between them, and waits until each says that the Cluster is ok. */
export async function startRedisCluster(): Promise<RedisCluster> {
  const nodes = await Promise.all(Array.from({ length: PRIMARIES }, startNode));
  const links = nodes.map(({ url }) => new Redis(url));
  try {
    await join(nodes, links);
  } finally {
    for (const link of links) link.disconnect();
  }
  return {
    url: `redis+cluster://127.0.0.1:${nodes[0]?.port}`,
    nodes,
    stop: async () => void (await Promise.all(nodes.map((node) => node.stop()))),
  };
}

async function startNode(): Promise<RedisServer> {
  // A node's bus listens 10,000 above its port by default, which many free ports do not leave room for.
  const bus = ["--cluster-port", `${await freePort()}`];
  return startRedisServer({ args: ["--cluster-enabled", "yes", "--cluster-node-timeout", `${NODE_TIMEOUT_MS}`, ...bus] });
}

async function join(nodes: readonly RedisServer[], links: readonly Redis[]): Promise<void> {
  await Promise.all(links.map((link, index) => link.call("CLUSTER", "ADDSLOTSRANGE", ...rangeOf(index))));
  await Promise.all(links.map((link, index) => link.call("CLUSTER", "SET-CONFIG-EPOCH", index + 1)));
  const [first] = links;
  for (const { port, busPort } of await Promise.all(nodes.slice(1).map(addressOf))) {
    await first?.call("CLUSTER", "MEET", "127.0.0.1", port, busPort);
  }
  await Promise.all(links.map((link) => until("cluster_state:ok", async () => isWhole(await link.cluster("INFO")))));
}

const rangeOf = (index: number): [number, number] => [
  Math.ceil((index * SLOTS) / PRIMARIES),
  Math.ceil(((index + 1) * SLOTS) / PRIMARIES) - 1,
];

const isWhole = (info: unknown): boolean =>
  /cluster_state:ok/.test(String(info)) && String(info).includes(`cluster_known_nodes:${PRIMARIES}`);

async function addressOf(node: RedisServer): Promise<{ port: number; busPort: string }> {
  const link = new Redis(node.url);
  try {
    const [, busPort] = (await link.config("GET", "cluster-port")) as string[];
    return { port: node.port, busPort: busPort ?? "" };
  } finally {
    link.disconnect();
  }
}
