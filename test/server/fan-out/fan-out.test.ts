/**
 * What sharing promises: one source, one execution and one serialisation for all who ask alike;
 * nobody gets less than alone.
 */
import fc from "fast-check";
import { afterEach, describe, expect, test } from "vitest";
import { until } from "../../support/until.js";
import { TOKEN } from "../test-server.js";
import { ask, connectSocket, type Message, type SocketClient } from "../websocket/socket-client.js";
import { type BoardServer, startBoards } from "./leaderboard-server.js";

const open: BoardServer[] = [];
const sockets: SocketClient[] = [];
afterEach(async () => {
  for (const { socket } of sockets.splice(0)) socket.terminate();
  for (const server of open.splice(0)) await server.close();
});

async function start(...options: Parameters<typeof startBoards>): Promise<BoardServer> {
  const server = await startBoards(...options);
  open.push(server);
  return server;
}

async function connect(server: BoardServer, init: object = {}): Promise<SocketClient> {
  const client = await connectSocket(server.live, init);
  sockets.push(client);
  return client;
}

const WATCH =
  "subscription Watch($slugs: [String!]!, $filler: Int) { board(slugs: $slugs, filler: " +
  "$filler) { slug version filler } }";

function subscribe(
  client: SocketClient,
  id: string,
  variables: object = { slugs: ["a"] },
  query = WATCH,
): void {
  client.send({ id, type: "subscribe", payload: { query, variables } });
}

const boardOf = ({ payload }: Message) =>
  (payload as { data: { board: { slug: string; version: number } } }).data.board;
const versionOf = async (client: SocketClient): Promise<number> =>
  boardOf(await client.next()).version;

describe("those who ask alike", () => {
  test("They share a source, an execution and bytes, each with its own operation id.", async () => {
    const server = await start();
    const clients = await Promise.all(Array.from({ length: 20 }, () => connect(server)));
    const frames: string[] = [];
    for (const [at, client] of clients.entries()) {
      client.socket.on("message", (data) => frames.push(String(data)));
      subscribe(client, `"${at}"\\ ü\ud800`);
    }
    await until("everybody's first value", () => frames.length === 20);
    expect(server.boards.opened).toBe(1);
    const reads = server.boards.reads;
    frames.length = 0;
    server.boards.publish("a", 1);
    await until("everybody's second value", () => frames.length === 20);
    expect(server.boards.reads).toBe(reads + 1);
    expect(frames.map((frame) => JSON.parse(frame).id).sort()).toEqual(
      clients.map((_, at) => `"${at}"\\ ü\ud800`).sort(),
    );
    expect(new Set(frames.map((frame) => frame.slice(frame.indexOf('"type"')))).size).toBe(1);
    expect(await server.metric("souk_fan_out_groups")).toBe(1);
    expect(await server.metric("souk_messages_total")).toBe(40);
    expect(await server.metric("souk_subscriptions")).toBe(20);
  });

  test("Groups differ by their question, not by the spelling of variables.", async () => {
    const server = await start();
    const client = await connect(server);
    const query = WATCH.replace("$filler: Int", "$filler: Int, $style: Style").replace(
      "filler: $filler",
      "filler: $filler, style: $style",
    );
    const style = { dark: true, font: "x".repeat(300) };
    const asked: [object, string?][] = [
      [{ slugs: ["a"], filler: 1, style }, query],
      [{ style: { font: style.font, dark: true }, filler: 1, slugs: ["a"], unknown: 7 }, query],
      [{ slugs: ["a"], filler: 1, style: { ...style, dark: null } }, query],
      [{ slugs: ["a"], filler: 1, style: { font: style.font } }, query],
      [{ slugs: ["a", "b"], filler: 1, style }, query],
      [{ slugs: ["a"], filler: 2, style }, query],
      [{ slugs: ["a"], filler: 2 }],
    ];
    for (const [at, [variables, text]] of asked.entries()) {
      subscribe(client, `${at}`, variables, text);
      await client.next();
    }
    expect(server.boards.opened).toBe(asked.length - 1);
  });

  test("Equal subscriptions are refused alike, and a refused one keeps nothing.", async () => {
    const server = await start();
    const clients = await Promise.all([connect(server), connect(server)]);
    for (const client of clients) subscribe(client, "x", { slugs: [] });
    for (const client of clients) {
      expect(await client.next()).toMatchObject({
        type: "next",
        payload: { errors: [{ extensions: { code: "BAD_USER_INPUT" } }] },
      });
      expect(await client.next()).toEqual({ id: "x", type: "complete" });
    }
    expect(await server.metric("souk_fan_out_groups")).toBe(0);
    expect(await server.metric("souk_subscriptions")).toBe(0);
  });

  test("Their execution is nobody's in particular, unless they want anything else.", async () => {
    const server = await start({ CACHE_REPORT: "request" });
    const anybody = await connect(server);
    const admin = await connect(server, {
      authorization: `Bearer ${TOKEN}`,
      "souk-cache": "bypass",
    });
    const reporter = await connect(server, { "souk-cache-report": "1" });
    for (const client of [anybody, admin, reporter]) {
      subscribe(client, "x");
      await client.next();
    }
    expect(await server.metric("souk_fan_out_groups")).toBe(3);
  });
});

describe("whoever joins later", () => {
  test("They get a value read after they joined, shared by all who join meanwhile.", async () => {
    const server = await start();
    const [early, ...late] = await Promise.all(Array.from({ length: 30 }, () => connect(server)));
    subscribe(early!, "x");
    expect(await versionOf(early!)).toBe(0);
    const release = server.boards.hold();
    server.boards.publish("a", 1);
    await until("version 1 to be read", () => server.boards.reads === 2);
    // Committed and published before they ask, but this process has not heard of it.
    server.boards.set("a", 2);
    for (const client of late) subscribe(client, "x");
    await until(
      "all to have asked",
      async () => (await server.metric("souk_subscriptions")) === 30,
    );
    release();
    expect(await versionOf(early!)).toBe(1);
    expect(new Set(await Promise.all(late.map(versionOf)))).toEqual(new Set([2]));
    expect(server.boards.reads).toBe(3);
    expect(server.boards.opened).toBe(1);
  });

  test("A newcomer gets every value that is watched.", async () => {
    const server = await start();
    const [early, late] = [await connect(server), await connect(server)];
    const slugs = ["a", "b", "c"];
    subscribe(early, "x", { slugs });
    for (const _ of slugs) await early.next();
    subscribe(late, "y", { slugs });
    expect(
      [await late.next(), await late.next(), await late.next()]
        .map((message) => boardOf(message).slug)
        .sort(),
    ).toEqual(slugs);
  });
});

describe("Fallbacks", () => {
  test("A fallback is sent once without data, and the true value follows by itself.", async () => {
    const server = await start();
    server.boards.set("a", 1);
    const restore = server.boards.fallBack();
    const client = await connect(server);
    subscribe(client, "x");
    expect(await versionOf(client)).toBe(1);
    const { reads } = server.boards;
    await until("it to be read again and again", () => server.boards.reads >= reads + 3);
    server.boards.set("a", 2);
    restore();
    expect(await versionOf(client)).toBe(2);
  });

  test("A fallback goes to a subscriber that joins, not to one that has data.", async () => {
    const server = await start();
    const [early, late] = [await connect(server), await connect(server)];
    server.boards.set("a", 2);
    subscribe(early, "x");
    expect(await versionOf(early)).toBe(2);
    server.boards.set("a", 1);
    const restore = server.boards.fallBack();
    server.boards.publish("a", 3);
    subscribe(late, "y");
    expect(await versionOf(late)).toBe(1);
    restore();
    expect(await Promise.all([early, late].map(versionOf))).toEqual([3, 3]);
  });
});

/** Clients that join and leave at will, and note what they are sent. */
class Crowd {
  readonly wentBack: string[] = [];
  /** The last version by client, operation and slug. */
  private readonly last = new Map<string, number>();
  private readonly running: string[][];
  private operations = 0;

  constructor(readonly clients: readonly SocketClient[]) {
    this.running = clients.map(() => []);
    for (const [at, { socket }] of clients.entries())
      socket.on("message", (data) => this.note(at, JSON.parse(String(data)) as Message));
  }

  join(at: number): void {
    const id = `${++this.operations}`;
    this.running[at]!.push(id);
    subscribe(this.clients[at]!, id, { slugs: ["a", "b"] });
  }

  leave(at: number): void {
    const id = this.running[at]!.shift();
    if (id) this.clients[at]!.send({ id, type: "complete" });
  }

  /** Whether everybody was last sent this version. */
  ended(slug: string, version: number): boolean {
    return this.running.every((ids, at) =>
      ids.every((id) => this.last.get(`${at} ${id} ${slug}`) === version),
    );
  }

  private note(at: number, message: Message): void {
    if (message.type !== "next") return;
    const { slug, version } = boardOf(message);
    const key = `${at} ${message.id} ${slug}`;
    if (version < (this.last.get(key) ?? 0)) this.wentBack.push(key);
    this.last.set(key, version);
  }
}

describe("whatever the schedule", () => {
  test("Versions never go back, and all subscribers end on the last one.", async () => {
    const server = await start();
    const step = fc.record({
      act: fc.constantFrom(
        "join",
        "leave",
        "publish",
        "publish",
        "hold",
        "release",
        "fall back",
        "restore",
        "turn",
      ),
      slug: fc.constantFrom("a", "b"),
      who: fc.nat(3),
    });
    let version = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
        const crowd = new Crowd(await Promise.all([0, 1, 2, 3].map(() => connect(server))));
        let release = () => {};
        let restore = () => {};
        const acts: Record<string, (slug: string, who: number) => unknown> = {
          join: (_, who) => crowd.join(who),
          leave: (_, who) => crowd.leave(who),
          publish: (slug) => server.boards.publish(slug, ++version),
          hold: () => {
            release();
            release = server.boards.hold();
          },
          release: () => release(),
          "fall back": () => {
            restore = server.boards.fallBack();
          },
          restore: () => restore(),
          turn: () => new Promise((resolve) => setImmediate(resolve)),
        };
        for (const { act, slug, who } of steps) await acts[act]!(slug, who);
        release();
        restore();
        version += 1;
        for (const slug of ["a", "b"]) server.boards.publish(slug, version);
        await until(
          "the last versions",
          () => crowd.ended("a", version) && crowd.ended("b", version),
        );
        expect(crowd.wentBack).toEqual([]);
        await Promise.all(crowd.clients.map((client) => client.close()));
      }),
      { numRuns: 25, seed: 11 },
    );
    await until("all sources to be closed", () => server.boards.open === 0);
  });
});

describe("the end of a subscription", () => {
  test("Nothing is written after `complete`, and the last one closes the source.", async () => {
    const server = await start();
    const [leaves, stays] = [await connect(server), await connect(server)];
    for (const client of [leaves, stays]) {
      subscribe(client, "x");
      await client.next();
    }
    leaves.send({ id: "x", type: "complete" });
    leaves.send({ type: "ping" });
    expect(await leaves.next()).toEqual({ type: "pong" });
    server.boards.publish("a", 1);
    expect(await versionOf(stays)).toBe(1);
    leaves.send({ type: "ping" });
    expect(await leaves.next()).toEqual({ type: "pong" });
    expect(server.boards.open).toBe(1);
    stays.socket.terminate();
    await until("the source to be closed", () => server.boards.open === 0);
    await until(
      "the gauges to fall",
      async () =>
        (await server.metric("souk_fan_out_groups")) +
          (await server.metric("souk_subscriptions")) ===
        0,
    );
  });

  test("A `complete` sent with `subscribe` leaves nothing behind, and frees its id.", async () => {
    const server = await start();
    const client = await connect(server);
    subscribe(client, "x");
    client.send({ id: "x", type: "complete" });
    subscribe(client, "x", { slugs: ["b"] });
    expect(boardOf(await client.next()).slug).toBe("b");
    await until("the first source to be closed", () => server.boards.open === 1);
  });

  test("A source that ends sends `complete` last, also to those who have just come.", async () => {
    const server = await start();
    const [early, late] = [await connect(server), await connect(server)];
    subscribe(early, "x");
    await early.next();
    const release = server.boards.hold();
    server.boards.publish("a", 5);
    await until("it to be read", () => server.boards.reads === 2);
    subscribe(late, "y");
    await until(
      "the late one to have asked",
      async () => (await server.metric("souk_subscriptions")) === 2,
    );
    server.boards.end();
    release();
    expect(await versionOf(early)).toBe(5);
    expect(await early.next()).toEqual({ id: "x", type: "complete" });
    expect(await versionOf(late)).toBe(5);
    expect(await late.next()).toEqual({ id: "y", type: "complete" });
    subscribe(early, "again");
    expect(await versionOf(early)).toBe(5);
    expect(server.boards.opened).toBe(2);
  });

  test("A broken source sends an error last, and the next subscriber opens another.", async () => {
    const server = await start();
    const client = await connect(server);
    subscribe(client, "x");
    await client.next();
    server.boards.publish("a", 1);
    server.boards.end(new Error("redis://user:hunter2@db"));
    expect(await versionOf(client)).toBe(1);
    const error = await client.next();
    expect(error).toMatchObject({
      id: "x",
      type: "error",
      payload: [{ extensions: { code: "INTERNAL_SERVER_ERROR" } }],
    });
    expect(JSON.stringify(error)).not.toContain("hunter2");
    const [first] = await client.run({ query: WATCH, variables: { slugs: [] } });
    expect(first?.payload).toMatchObject({ errors: [{}] });
    subscribe(client, "again");
    expect(await versionOf(client)).toBe(1);
  });
});

describe("sessions", () => {
  const OWN = "subscription Own($slugs: [String!]!) { board(slugs: $slugs) { version whoAmI } }";
  const who = async (client: SocketClient) =>
    (boardOf(await client.next()) as unknown as { whoAmI: string }).whoAmI;

  test("What is public needs no look-up; what is the viewer's needs one per message.", async () => {
    const server = await start();
    const clients = await Promise.all(
      [7, 8].map((id) => connect(server, { authorization: `Bearer CUSTOMER-${id}` })),
    );
    for (const client of clients) {
      subscribe(client, "public");
      await client.next();
    }
    server.lookups.length = 0;
    server.boards.publish("a", 1);
    for (const client of clients) await client.next();
    expect(server.lookups).toEqual([]);
    for (const client of clients) {
      client.send({ id: "public", type: "complete" });
      subscribe(client, "own", { slugs: ["a"] }, OWN);
    }
    expect(await Promise.all(clients.map(who))).toEqual(["user 7", "user 8"]);
    server.lookups.length = 0;
    server.boards.publish("a", 2);
    expect(await Promise.all(clients.map(who))).toEqual(["user 7", "user 8"]);
    expect(server.lookups.sort()).toEqual(["session-7", "session-8"]);
  });

  test("Nothing of a viewer's or role's is delivered once the session has ended.", async () => {
    const server = await start();
    const queries = [OWN, OWN.replace("whoAmI", "myRole")];
    for (const [at, query] of queries.entries()) {
      const admin = await connect(server, { authorization: `Bearer ADMIN-${at}` });
      const other = await connect(server, { authorization: `Bearer ADMIN-9${at}` });
      for (const client of [admin, other]) {
        subscribe(client, "x", { slugs: ["a"] }, query);
        await client.next();
      }
      server.endedSessions.add(`session-${at}`);
      server.boards.publish("a", at + 1);
      expect((await admin.closed).code).toBe(4401);
      await expect(admin.next()).rejects.toThrow("4401");
      expect(await versionOf(other)).toBe(at + 1);
    }
  });

  test("A query on the same socket is answered beside the subscription.", async () => {
    const server = await start();
    const client = await connect(server);
    expect(await ask(client, { query: "{ ok }" })).toEqual({ data: { ok: null } });
  });
});
