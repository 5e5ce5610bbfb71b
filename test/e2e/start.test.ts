/**
 * `npm start` as a newcomer and as an operator see it: the built tree as a process of its own, in a
 * data folder of its own.
 */

import { once } from "node:events";
import { readdir } from "node:fs/promises";
import { createServer } from "node:net";
import { createClient } from "graphql-ws";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import WebSocket from "ws";
import { signIn, whoIs } from "../support/accounts.js";
import { type AppProcess, startProcess } from "../support/app.js";
import { temporaryFolder } from "../support/files.js";
import { post } from "../support/graphql.js";
import { until } from "../support/until.js";

const STOCK = "query Stock($id: ID!) { product(id: $id) { stock } }";
const ADJUST =
  "mutation Adjust($id: ID!) { adjustStock(id: $id, by: 1) { product { stock } errors { " +
  "message } } }";
const WATCH =
  "subscription Watch($ids: [ID!]!) { productChanged(ids: $ids) { id version product { stock } } }";

/** Everything is embedded: nothing but these is set. */
const embedded = (dataDir: string) => ({ DATA_DIR: dataDir, ADMIN_TOKEN: "" });

/** Filling the shop takes some ten seconds of a processor, and as much more as others use it. */
const FIRST_START_MS = 120_000;

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
/**
 * The data folder of a shop that has been started once, what it printed then and what it answered.
 */
let shop: {
  readonly path: string;
  readonly printed: string;
  readonly sizes: readonly number[];
  /** How the starts before it ended. */
  readonly interrupted: readonly (number | string | null)[];
  remove(): Promise<void>;
};
const running: AppProcess[] = [];

beforeAll(async () => {
  const { path, remove } = await temporaryFolder("shop");
  const interrupted = await interruptedStarts(path);
  const first = await startProcess(["dist/main.js"], embedded(path));
  const sizes = await sizesOf(first);
  expect(await first.end()).toBe(0);
  shop = { path, printed: first.output(), sizes, interrupted, remove };
}, FIRST_START_MS);

/** Two first starts that end while they fill the shop: by Ctrl-C, then by SIGKILL. */
async function interruptedStarts(path: string): Promise<(number | string | null)[]> {
  const endings: (number | string | null)[] = [];
  for (const signal of ["SIGINT", "SIGKILL"] as const) {
    const app = await startProcess(["dist/main.js"], embedded(path), /filling the shop/);
    await until("some of the shop", async () =>
      (await readdir(path, { recursive: true })).some((name) => /first-.*PG_VERSION$/.test(name)),
    );
    endings.push(await app.end(signal));
    expect(await readdir(path)).not.toContain("postgres");
  }
  return endings;
}
afterAll(() => shop?.remove());
beforeEach(async () => {
  folder = await temporaryFolder("start");
});
afterEach(async () => {
  await Promise.all(running.splice(0).map((app) => app.end("SIGTERM")));
  await folder.remove();
});

async function start(env: Record<string, string>, args = ["dist/main.js"]): Promise<AppProcess> {
  const app = await startProcess(args, env);
  running.push(app);
  return app;
}

/** What a start that fails prints. It must exit with 1 and show no stack. */
async function refusal(env: Record<string, string>, args = ["dist/main.js"]): Promise<string> {
  const failure = await startProcess(args, env).then(
    () => "it started",
    (error: Error) => error.message,
  );
  expect(failure).toMatch(/^exit code 1:/);
  expect(failure).not.toMatch(/^\s+at /m);
  return failure;
}

const tokenOf = (app: AppProcess): string => /Bearer (\S+)/.exec(app.output())?.[1] ?? "";

/** How many products and categories it has. */
async function sizesOf({ url }: AppProcess): Promise<number[]> {
  const { data } = await post(url, "{ products(first: 1) { totalCount } categories { id } }");
  return [Number(data.products!.totalCount), data.categories!.length];
}

async function firstProduct(app: AppProcess): Promise<string> {
  const { data } = await post(app.url, "{ products(first: 1) { edges { node { id } } } }");
  return String(data.products!.edges![0]!.node!.id);
}

describe("npm start without configuration", () => {
  it("It brings a shop to query, changes to watch, and data that survive a restart.", async () => {
    expect(shop.interrupted).toEqual([0, "SIGKILL"]);
    expect(shop.printed).toContain("an earlier start ended while it filled the shop");
    expect(shop.printed).toContain("first start: filling the shop");
    expect(shop.printed).toContain(
      "admin@souk.example, ada@souk.example, ben@souk.example, cleo@souk.example",
    );
    expect(shop.sizes).toEqual([10_000, 50]);
    const app = await start(embedded(shop.path));
    expect(app.output()).not.toContain("filling the shop");
    expect(await sizesOf(app)).toEqual(shop.sizes);

    const id = await firstProduct(app);
    const client = createClient({ url: app.wsUrl, webSocketImpl: WebSocket, retryAttempts: 0 });
    const changes = client.iterate<{
      productChanged: { version: string; product: { stock: number } };
    }>({
      query: WATCH,
      variables: { ids: [id] },
    });
    const stock = (await changes.next()).value.data.productChanged.product.stock;
    await post(app.url, ADJUST, { id }, { token: tokenOf(app) });
    expect((await changes.next()).value.data.productChanged).toMatchObject({
      version: "2",
      product: { stock: stock + 1 },
    });
    await client.dispose();

    const password = /password (\S+)/.exec(app.output())?.[1] ?? "";
    const admin = await signIn(app.url, { email: "admin@souk.example", password });
    expect((await post(app.url, ADJUST, { id }, { token: admin })).errors).toBeUndefined();

    expect(await app.end()).toBe(0);
    const again = await start(embedded(shop.path));
    expect(tokenOf(again)).toBe(tokenOf(app));
    expect(await whoIs(again.url, admin)).toBe("admin@souk.example");
    expect((await post(again.url, STOCK, { id })).data.product!.stock).toBe(stock + 2);
  });

  it("A killed redis-server is started again, and none is left behind.", async () => {
    const app = await start(embedded(shop.path));
    const id = await firstProduct(app);
    const pid = Number((await redisPids(shop.path))[0]);
    process.kill(pid, "SIGKILL");
    expect((await post(app.url, STOCK, { id })).errors).toBeUndefined();
    await until("another redis-server", async () =>
      (await redisPids(shop.path)).find((found) => Number(found) !== pid),
    );
    expect((await post(app.url, STOCK, { id })).errors).toBeUndefined();
    expect(await app.end()).toBe(0);
    expect(await redisPids(shop.path)).toEqual([]);
  });

  it.each(["SIGINT", "SIGTERM"] as const)(
    "One %s ends the process in order, although npm and its group both send it.",
    async (signal) => {
      const app = await start(embedded(shop.path));
      app.child.kill(signal);
      await until("the first to be heard", () => app.output().includes('"stopping"'));
      expect(await app.end(signal)).toBe(0);
      expect(app.output()).toContain(`"signal":"${signal}"`);
    },
  );

  it("A second start warns of nothing, and names GraphiQL before what needs the network.", async () => {
    const app = await start(embedded(shop.path));
    const lines = app.output().split("\n");
    const logged = lines.filter((line) => line.startsWith("{")).map((line) => JSON.parse(line));
    expect(logged.filter(({ level }) => level >= 40)).toEqual([]);
    expect(logged).toContainEqual(
      expect.objectContaining({
        msg: expect.stringContaining("is open"),
        seconds: expect.any(Number),
      }),
    );
    const at = (text: string) => lines.findIndex((line) => line.includes(text));
    expect(at("first page")).toBeGreaterThan(0);
    expect(at("GraphiQL")).toBeGreaterThan(at("first page"));
    expect(at("needs the network")).toBeGreaterThan(at("GraphiQL"));
  });

  it("The built tree has the first page with its files.", async () => {
    const app = await start(embedded(shop.path));
    const home = app.url.replace(/graphql$/, "");
    for (const file of [
      "",
      "explorer/start.js",
      "explorer/start.css",
      "explorer/graphql-ws/client.js",
    ])
      expect([file, (await fetch(`${home}${file}`)).status]).toEqual([file, 200]);
    expect(await (await fetch(home)).text()).toContain("explorer/start.js");
  });

  it("A second start names the owner of the folder.", async () => {
    const app = await start(embedded(shop.path));
    const told = await refusal(embedded(shop.path));
    expect(told).toContain(String(app.child.pid));
    expect(told).toContain("DATABASE_URL");
  });
});

describe("a start that cannot go on says what to do", () => {
  it("A taken port ends the start with what to do.", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as { port: number };
    expect(await refusal({ ...embedded(shop.path), PORT: String(port) })).toMatch(
      new RegExp(`${port}[^]*PORT`),
    );
    server.close();
  });

  it("A silent database ends the start, without its password in the message.", async () => {
    const told = await refusal({
      ...embedded(folder.path),
      DATABASE_URL: "postgres://souk:hunter2@127.0.0.1:1/souk",
      REDIS_URL: "redis://127.0.0.1:1",
    });
    expect(told).toContain("127.0.0.1:1");
    expect(told).not.toContain("hunter2");
  });

  it("A bad configuration ends the start with all of its faults.", async () => {
    const told = await refusal({
      ...embedded(folder.path),
      PORT: "eighty",
      SHOP_CURRENCY: "SHELLS",
      CACHE_TTL_MS: "-1",
    });
    for (const name of ["PORT", "SHOP_CURRENCY", "CACHE_TTL_MS"]) expect(told).toContain(name);
  });

  it("A missing redis-server ends the start with what to do.", async () => {
    const told = await refusal({ ...embedded(folder.path), PATH: folder.path });
    for (const way of ["package", "container", "REDIS_URL"]) expect(told).toContain(way);
  });

  it("An API or a worker alone without shared servers does not start.", async () => {
    expect(await refusal(embedded(folder.path), ["dist/main.js", "--api"])).toContain(
      "REDIS_URL and DATABASE_URL",
    );
    expect(await refusal(embedded(folder.path), ["dist/worker.js"])).toContain(
      "REDIS_URL and DATABASE_URL",
    );
  });
});

/** Pids of the redis-servers that work in this data folder. */
async function redisPids(dataDir: string): Promise<string[]> {
  const { readlink } = await import("node:fs/promises");
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const inFolder = await Promise.all(
    pids.map(
      async (pid) =>
        [
          pid,
          await readlink(`/proc/${pid}/cwd`).catch(() => ""),
          await readlink(`/proc/${pid}/exe`).catch(() => ""),
        ] as const,
    ),
  );
  return inFolder
    .filter(([, cwd, exe]) => cwd.startsWith(dataDir) && /redis|valkey/.test(exe))
    .map(([pid]) => pid);
}
