/**
 * A Redis Cluster of three primaries on loopback, put together with CLUSTER ADDSLOTSRANGE and
 * CLUSTER MEET alone.
 */
import { Redis } from "ioredis";
import { freePort } from "../../scripts/free-port.mjs";
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
  /**
   * Moves a slot with its keys to another node, as `redis-cli --cluster reshard` does. `half` runs
   * once the slot is open on both.
   */
  migrate(slot: number, to: RedisServer, half?: () => Promise<unknown>): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Starts three primaries that hold all slots between them, and waits until each says that the
 * Cluster is ok.
 */
export async function startRedisCluster({
  args = [],
}: {
  args?: readonly string[];
} = {}): Promise<RedisCluster> {
  const nodes = await Promise.all(Array.from({ length: PRIMARIES }, () => startNode(args)));
  const links = nodes.map(({ url }) => new Redis(url));
  try {
    await join(nodes, links);
  } finally {
    for (const link of links) link.disconnect();
  }
  return {
    url: `redis+cluster://127.0.0.1:${nodes[0]?.port}`,
    nodes,
    migrate: (slot, to, half = async () => {}) => migrate(nodes, { slot, to, half }),
    stop: async () => void (await Promise.all(nodes.map((node) => node.stop()))),
  };
}

async function startNode(args: readonly string[]): Promise<RedisServer> {
  // A node's bus listens 10,000 above its port by default, which many free ports do not leave room
  // for.
  const bus = ["--cluster-port", `${await freePort()}`];
  return startRedisServer({
    args: [
      "--cluster-enabled",
      "yes",
      "--cluster-node-timeout",
      `${NODE_TIMEOUT_MS}`,
      ...bus,
      ...args,
    ],
  });
}

async function join(nodes: readonly RedisServer[], links: readonly Redis[]): Promise<void> {
  await Promise.all(
    links.map((link, index) => link.call("CLUSTER", "ADDSLOTSRANGE", ...rangeOf(index))),
  );
  await Promise.all(
    links.map((link, index) => link.call("CLUSTER", "SET-CONFIG-EPOCH", index + 1)),
  );
  const [first] = links;
  for (const { port, busPort } of await Promise.all(nodes.slice(1).map(addressOf))) {
    await first?.call("CLUSTER", "MEET", "127.0.0.1", port, busPort);
  }
  await Promise.all(
    links.map((link) => until("cluster_state:ok", async () => isWhole(await link.cluster("INFO")))),
  );
}

const rangeOf = (index: number): [number, number] => [
  Math.ceil((index * SLOTS) / PRIMARIES),
  Math.ceil(((index + 1) * SLOTS) / PRIMARIES) - 1,
];

const isWhole = (info: unknown): boolean =>
  /cluster_state:ok/.test(String(info)) &&
  String(info).includes(`cluster_known_nodes:${PRIMARIES}`);

async function addressOf(node: RedisServer): Promise<{ port: number; busPort: string }> {
  const link = new Redis(node.url);
  try {
    const [, busPort] = (await link.config("GET", "cluster-port")) as string[];
    return { port: node.port, busPort: busPort ?? "" };
  } finally {
    link.disconnect();
  }
}

interface Move {
  readonly slot: number;
  readonly to: RedisServer;
  readonly half: () => Promise<unknown>;
}

const MIGRATE_TIMEOUT_MS = 5_000;
const KEYS_AT_ONCE = 100;

async function migrate(nodes: readonly RedisServer[], { slot, to, half }: Move): Promise<void> {
  const links = await Promise.all(
    nodes.map(async ({ url, port }) => ({ port, link: new Redis(url) })),
  );
  try {
    const named = await Promise.all(
      links.map(async ({ link, port }) => ({
        link,
        port,
        id: String(await link.call("CLUSTER", "MYID")),
      })),
    );
    const target = named.find(({ port }) => port === to.port);
    const source = await ownerOf(slot, named);
    if (!target || !source || target === source)
      throw new Error(`slot ${slot} cannot move to ${to.url}`);
    await target.link.call("CLUSTER", "SETSLOT", slot, "IMPORTING", source.id);
    await source.link.call("CLUSTER", "SETSLOT", slot, "MIGRATING", target.id);
    await half();
    for (
      let keys = await keysIn(source.link, slot);
      keys.length > 0;
      keys = await keysIn(source.link, slot)
    ) {
      await source.link.call(
        "MIGRATE",
        "127.0.0.1",
        to.port,
        "",
        0,
        MIGRATE_TIMEOUT_MS,
        "KEYS",
        ...keys,
      );
    }
    await target.link.call("CLUSTER", "SETSLOT", slot, "NODE", target.id);
    await source.link.call("CLUSTER", "SETSLOT", slot, "NODE", target.id);
  } finally {
    for (const { link } of links) link.disconnect();
  }
}

const keysIn = async (link: Redis, slot: number): Promise<string[]> =>
  (await link.call("CLUSTER", "GETKEYSINSLOT", slot, KEYS_AT_ONCE)) as string[];

async function ownerOf<T extends { readonly link: Redis; readonly port: number }>(
  slot: number,
  nodes: readonly T[],
): Promise<T | undefined> {
  const ranges = (await nodes[0]?.link.call("CLUSTER", "SLOTS")) as [
    from: number,
    to: number,
    [host: string, port: number],
  ][];
  const port = ranges.find(([from, to]) => from <= slot && slot <= to)?.[2][1];
  return nodes.find((node) => node.port === port);
}
