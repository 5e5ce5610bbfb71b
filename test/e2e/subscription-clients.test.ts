/**
 * The clients that people have, as they come, each over a real server: they start, follow changes
 * and stop; and they all come back at once.
 */
import { ApolloClient, ApolloLink, gql, InMemoryCache } from "@apollo/client";
import { GraphQLWsLink } from "@apollo/client/link/subscriptions";
import { fetchExchange, subscriptionExchange, Client as UrqlClient } from "@urql/core";
import { createClient } from "graphql-ws";
import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { WebSocket } from "ws";
import { connectSocket, type SocketClient } from "../server/websocket/socket-client.js";
import { signIn, signUp } from "../support/accounts.js";
import { ADMIN_TOKEN, type RunningApp, startApp } from "../support/app.js";
import { metric, post } from "../support/graphql.js";
import { type RedisServer, startRedisServer } from "../support/redis-server.js";
import { until } from "../support/until.js";

const WATCH =
  "subscription Watch($ids: [ID!]!) { productChanged(ids: $ids) { id version product { stock } } }";
const ADJUST = "mutation Adjust($id: ID!) { adjustStock(id: $id, by: 1) { errors { code } } }";

let redis: RedisServer;
let app: RunningApp;
let id: string;
beforeAll(async () => {
  redis = await startRedisServer();
  app = await startApp({
    products: 20,
    redisUrl: redis.url,
    keyPrefix: "",
    env: { CONFLATION_MS: "1" },
  });
  const { data } = await post(app.url, "{ products(first: 1) { edges { node { id } } } }");
  id = String(data.products!.edges![0]!.node!.id);
});
afterAll(async () => {
  await app?.close();
  await redis?.stop();
});

interface Change {
  readonly productChanged: {
    readonly id: string;
    readonly version: string;
    readonly product: { readonly stock: number };
  };
}
/** Watches a product until the returned function is called. */
type Watch = (onChange: (data: Change) => void) => () => void;

const wsClient = () => {
  const client = createClient({ url: app.wsUrl, webSocketImpl: WebSocket, lazy: true });
  onTestFinished(() => void client.dispose());
  return client;
};

const CLIENTS: [string, () => Watch][] = [
  [
    "graphql-ws",
    () => (onChange) =>
      wsClient().subscribe<Change>(
        { query: WATCH, variables: { ids: [id] } },
        { next: ({ data }) => data && onChange(data), error: () => {}, complete: () => {} },
      ),
  ],
  [
    "Apollo Client",
    () => (onChange) => {
      const apollo = new ApolloClient({
        link: ApolloLink.from([new GraphQLWsLink(wsClient())]),
        cache: new InMemoryCache(),
      });
      const watched = apollo
        .subscribe<Change>({ query: gql(WATCH), variables: { ids: [id] }, fetchPolicy: "no-cache" })
        .subscribe(({ data }) => data && onChange(data));
      return () => watched.unsubscribe();
    },
  ],
  [
    "urql",
    () => (onChange) => {
      const ws = wsClient();
      const forwardSubscription = ({
        query = "",
        variables,
      }: {
        query?: string | undefined;
        variables?: object;
      }) => ({
        subscribe: (sink: Parameters<typeof ws.subscribe>[1]) => ({
          unsubscribe: ws.subscribe(
            { query, variables: variables as Record<string, unknown> },
            sink,
          ),
        }),
      });
      const urql = new UrqlClient({
        url: app.url,
        preferGetMethod: false,
        exchanges: [
          fetchExchange,
          subscriptionExchange({ forwardSubscription: forwardSubscription as never }),
        ],
      });
      const watched = urql
        .subscription<Change>(WATCH, { ids: [id] })
        .subscribe(({ data }) => data && onChange(data));
      return () => watched.unsubscribe();
    },
  ],
];

const stockOf = ({ productChanged }: Change): number => productChanged.product.stock;
const adjust = async () =>
  expect((await post(app.url, ADJUST, { id }, { token: ADMIN_TOKEN })).errors).toBeUndefined();

describe.each(CLIENTS)("%s", (_name, make) => {
  it("It gets the value, then every change, and nothing once stopped; others go on.", async () => {
    const [mine, others]: [number[], number[]] = [[], []];
    const stop = make()((data) => mine.push(stockOf(data)));
    const stopOthers = make()((data) => others.push(stockOf(data)));
    await until("both first values", () => mine.length > 0 && others.length > 0);
    const first = mine[0]!;
    await adjust();
    await until("the change", () => mine.at(-1) === first + 1 && others.at(-1) === first + 1);
    stop();
    await until("it to be gone", async () => (await metric(app.url, "souk_subscriptions")) === 1);
    const received = mine.length;
    await adjust();
    await until("the change at the other", () => others.at(-1) === first + 2);
    expect(mine.length).toBe(received);
    stopOthers();
    await until("both to be gone", async () => (await metric(app.url, "souk_subscriptions")) === 0);
  });
});

describe("when all clients come back at once", () => {
  const ACCOUNTS = 5;
  const SOCKETS = 20;
  /** SUBSCRIBE, the first reading, the mark of the end. */
  const FEW = 5;

  async function connectAll(tokens: readonly string[]): Promise<SocketClient[]> {
    return Promise.all(
      tokens.flatMap((token) =>
        Array.from({ length: SOCKETS }, async () => {
          const client = await connectSocket(app.wsUrl, { authorization: `Bearer ${token}` });
          client.send({
            id: "x",
            type: "subscribe",
            payload: { query: WATCH, variables: { ids: [id] } },
          });
          expect(await client.next()).toMatchObject({
            type: "next",
            payload: { data: { productChanged: { id } } },
          });
          return client;
        }),
      ),
    );
  }

  it("A signed-in client costs Redis two round trips; what all watch is read once.", async () => {
    const accounts = await Promise.all(Array.from({ length: ACCOUNTS }, () => signUp(app.url)));
    const tokens = await Promise.all(accounts.map((account) => signIn(app.url, account)));
    for (const { socket } of await connectAll(tokens)) socket.terminate();
    await until("all to be gone", async () => (await metric(app.url, "souk_sockets")) === 0);

    const watching = new Redis(redis.url);
    const monitor = await watching.monitor();
    const commands: string[][] = [];
    monitor.on("monitor", (_time, args: string[], source: string) => {
      // What scripts do is no round trip, and beats go on whether anybody comes or not.
      if (source !== "lua" && !args.some((arg) => /heartbeat|^ping$|^info$/i.test(arg)))
        commands.push(args);
    });
    const began = performance.now();
    const clients = await connectAll(tokens);
    const elapsedMs = performance.now() - began;
    await watching.set("done", "1");
    await until("the last command to be seen", () => commands.some((args) => args[1] === "done"));
    const subscribes = commands.filter(([name]) => /^subscribe$/i.test(name!)).length;
    expect(subscribes).toBe(1);
    // Two look-ups: of the socket's caller, and before the operation. Each is one round trip of
    // three commands: the session, what ends everybody's, and the limit.
    const lookups = commands.filter((args) => args.some((arg) => arg.includes("session:{"))).length;
    expect(lookups).toBe(2 * ACCOUNTS * SOCKETS);
    // A first value is read for all who have come within 10 ms.
    expect(commands.length - 3 * lookups).toBeLessThanOrEqual(elapsedMs / 10 + FEW);
    monitor.disconnect();
    watching.disconnect();
    for (const { socket } of clients) socket.terminate();
  });
});
