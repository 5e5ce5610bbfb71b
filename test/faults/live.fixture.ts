/**
 * Subscribers of the fault tests: every kind of subscription, what was sent to each, and the writes
 * that it is to show.
 */
import { encodeId } from "../../src/domain/ids.js";
import {
  connectSocket,
  type Message,
  type SocketClient,
} from "../server/websocket/socket-client.js";
import { signUp } from "../support/accounts.js";
import { ADMIN_TOKEN, type RunningApp } from "../support/app.js";
import { type Data, post } from "../support/graphql.js";
import { send } from "../support/notifications.js";

/**
 * A message as it is judged: how many writes it shows, and its version where the payload has one.
 */
export interface Shown {
  readonly writes: number;
  readonly version: number;
}

/** One kind of subscription, and the writes that change what it shows. */
export interface Subject {
  readonly name: string;
  readonly query: string;
  readonly variables: Record<string, unknown>;
  /** What its sockets say of themselves. */
  readonly init: Record<string, string>;
  /** A log sends each event; a snapshot the latest value. */
  readonly isLog: boolean;
  /** Writes once more. */
  write(): Promise<void>;
  /** Successful writes so far. */
  readonly written: number;
  show(data: Data): Shown;
}

/** A subscription and all it was sent. */
export interface Subscriber {
  readonly shown: readonly Shown[];
  /** In the order of arrival: a value, or the code of an error. */
  readonly story: readonly string[];
  close(): void;
}

/** Subscribes over a socket of its own. `alone` asks for a document that nobody else asks for. */
export async function subscribe(
  app: RunningApp,
  subject: Subject,
  { alone = "" } = {},
): Promise<Subscriber> {
  const client: SocketClient = await connectSocket(app.wsUrl, subject.init);
  const [shown, story]: [Shown[], string[]] = [[], []];
  const query = alone
    ? subject.query.replace("subscription", `subscription ${alone}`)
    : subject.query;
  const take = ({ type, payload }: Message): void => {
    if (type !== "next") {
      story.push(type);
      return;
    }
    const { data, errors } = payload as {
      data?: Data | null;
      errors?: { extensions: { code: string } }[];
    };
    if (errors) story.push(errors[0]!.extensions.code);
    if (errors || !data) return;
    shown.push(subject.show(data));
    story.push("value");
  };
  const read = async (): Promise<void> => {
    for (;;) take(await client.next());
  };
  client.send({ id: "s", type: "subscribe", payload: { query, variables: subject.variables } });
  read().catch((error: Error) => story.push(error.message));
  return { shown, story, close: () => client.socket.terminate() };
}

/**
 * Whether a subscriber shows everything that was written. Logs are followed from their beginning.
 */
export const isUpToDate = ({ written, isLog }: Subject, { shown }: Subscriber): boolean =>
  isLog ? shown.length === written : shown.at(-1)?.writes === written;

interface Kind extends Omit<Subject, "write" | "written" | "name" | "isLog"> {
  readonly isLog?: boolean;
  write(): Promise<Data | undefined>;
}

function subjectOf(name: string, { write, ...kind }: Kind): Subject {
  let written = 0;
  return {
    isLog: false,
    ...kind,
    name,
    get written() {
      return written;
    },
    async write() {
      const answer = JSON.stringify(await write());
      if (!answer.includes('"errors":[]')) throw new Error(`${name} was not written: ${answer}`);
      written += 1;
    },
  };
}

/**
 * Every subscription of the schema, written to through `writer`. The shop's first products have
 * stock to spare.
 */
export async function openSubjects(writer: RunningApp): Promise<Subject[]> {
  const asAdmin = (query: string, variables: object) =>
    post(writer.url, query, { ...variables }, { token: ADMIN_TOKEN });
  const [watched, counted, bought] = [1, 2, 3].map((key) => encodeId("Product", key)) as [
    string,
    string,
    string,
  ];
  await asAdmin(
    'mutation { createLeaderboard(input: { slug: "faults", title: "Faults", periods: ' +
      "[ALL_TIME], operator: SUM }) { errors { code } } }",
    {},
  );
  await asAdmin(
    "mutation Stock($id: ID!) { adjustStock(id: $id, by: 100000) { errors { code } } }",
    { id: bought },
  );
  const shop = await post(
    writer.url,
    "query Q($watched: ID!, $counted: ID!) { a: product(id: $watched) { stock } b: " +
      "product(id: $counted) { stats { shares } } }",
    { watched, counted },
  );
  const [stock, shares] = [Number(shop.data.a!.stock), Number(shop.data.b!.stats!.shares)];
  const ADD = "mutation M($id: ID!) { addToCart(productId: $id) { errors { code } } }";
  // The first piece makes the guest.
  const { guest } = await post(writer.url, ADD, { id: bought });
  const user = await signUp(writer.url);
  const subjects = [
    subjectOf("productChanged", {
      query:
        "subscription($ids: [ID!]!) { productChanged(ids: $ids) { version product { stock } } }",
      variables: { ids: [watched] },
      init: {},
      write: async () =>
        (
          await asAdmin(
            "mutation M($id: ID!) { adjustStock(id: $id, by: 1) { errors { code } } }",
            { id: watched },
          )
        ).data,
      show: ({ productChanged: change }) => ({
        writes: Number(change!.product!.stock) - stock,
        version: Number(change!.version),
      }),
    }),
    subjectOf("productStatsChanged", {
      query: "subscription($id: ID!) { productStatsChanged(productId: $id) { stats { shares } } }",
      variables: { id: counted },
      init: {},
      write: async () =>
        (
          await post(
            writer.url,
            "mutation M($id: ID!) { share(productId: $id) { errors { code } } }",
            { id: counted },
          )
        ).data,
      show: ({ productStatsChanged: change }) => ({
        writes: Number(change!.stats!.shares) - shares,
        version: 0,
      }),
    }),
    subjectOf("cartChanged", {
      query: "subscription { cartChanged { version quantity } }",
      variables: {},
      init: { guest: guest! },
      write: async () =>
        (await post(writer.url, ADD, { id: bought }, { headers: { "souk-guest": guest! } })).data,
      show: ({ cartChanged: cart }) => ({
        writes: Number(cart!.quantity) - 1,
        version: Number(cart!.version),
      }),
    }),
    subjectOf("leaderboardChanged", {
      query: 'subscription { leaderboardChanged(slug: "faults") { version entries { score } } }',
      variables: {},
      init: {},
      write: async () =>
        (
          await asAdmin(
            'mutation { submitScore(input: { slug: "faults", owner: "o", score: 1 }) { ' +
              "errors { code } } }",
            {},
          )
        ).data,
      show: ({ leaderboardChanged: { version, entries } = {} as Data }) => ({
        writes: Number(entries![0]?.score ?? 0),
        version: Number(version),
      }),
    }),
    subjectOf("notificationReceived", {
      query:
        'subscription { notificationReceived(after: "") { __typename ... on ' +
        "NotificationDelivered { unreadCount } ... on StreamGap { reason } } }",
      variables: {},
      init: { authorization: `Bearer ${user.token}` },
      isLog: true,
      write: () => send(writer.url, { userIds: [user.id] }),
      show: ({ notificationReceived: event }) => ({
        writes: Number(event!.unreadCount),
        version: Number(event!.unreadCount),
      }),
    }),
  ];
  // Something to show from the start tells that a subscription is open.
  for (const subject of subjects) await subject.write();
  return subjects;
}
