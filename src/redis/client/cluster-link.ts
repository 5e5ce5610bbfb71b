/**
 * A subscriber connection into a Cluster: one plain
 * connection to any node, because every node passes every
 * message on.
 *
 * ioredis' Cluster has a subscriber of its own. It changes
 * nodes in silence and loses messages meanwhile. This one
 * reports `close` and `ready` like any connection. Each
 * attempt goes to another node.
 */
import { once } from "node:events";
import { connect } from "node:net";
import { connect as connectTls } from "node:tls";
import { AbstractConnector, Cluster, Redis, type RedisOptions } from "ioredis";
import type { RedisConnection } from "./connect.js";

/**
 * The connection to subscribe on, and what closes it if it
 * was made here.
 */
export interface SubscriberLink {
  readonly subscriber: Redis;
  close(): void;
}

/**
 * A connection to one server is its own link; into a Cluster
 * one is opened.
 */
export function subscriberLink(connection: RedisConnection): SubscriberLink {
  if (!(connection instanceof Cluster)) return { subscriber: connection, close() {} };
  const options = (connection.options.redisOptions ?? {}) as RedisOptions;
  const subscriber = new Redis({
    ...options,
    retryStrategy: () => RETRY_MS,
    autoResubscribe: false,
    Connector: connectorOf(connection),
  });
  // Reported by `close`; without a listener ioredis would
  // print it.
  subscriber.on("error", () => {});
  return { subscriber, close: () => subscriber.disconnect() };
}

/** Short, because another node may be there to answer. */
const RETRY_MS = 100;
const LEAVE_MS = 100;

/**
 * Makes ioredis ask the Cluster where to connect, every time
 * anew.
 */
function connectorOf(cluster: Cluster): NonNullable<RedisOptions["Connector"]> {
  let attempts = 0;
  return class ClusterConnector extends AbstractConnector {
    constructor(private readonly redisOptions: RedisOptions) {
      super(LEAVE_MS);
    }

    async connect() {
      this.connecting = true;
      if (cluster.nodes("all").length === 0) await once(cluster, "+node");
      if (!this.connecting) throw new Error("Connection is closed.");
      const nodes = cluster.nodes("all");
      const { host = "127.0.0.1", port = 6379 } =
        nodes[attempts++ % Math.max(1, nodes.length)]?.options ?? {};
      const { tls } = this.redisOptions;
      this.stream = tls ? connectTls({ host, port, ...tls }) : connect({ host, port });
      return this.stream;
    }
  } as NonNullable<RedisOptions["Connector"]>;
}
