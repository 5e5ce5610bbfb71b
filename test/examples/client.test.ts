import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { createConsistentFetch } from "../../examples/client/consistency.js";
import { AdjustStockDocument, SearchDocument } from "../../examples/client/generated/operations.js";
import { createShop, type Shop, type ShopOptions } from "../../examples/client/shop-client.js";
import { type ProductChange, watchProducts } from "../../examples/client/watch.js";
import { signUp } from "../support/accounts.js";
import { type RunningApp, startApp } from "../support/app.js";
import { createProxy } from "../support/faults.js";
import { until } from "../support/until.js";

const root = fileURLToPath(new URL("../..", import.meta.url));

let app: RunningApp;
beforeAll(async () => {
  app = await startApp({ products: 20, env: { CONFLATION_MS: "1" } });
});
afterAll(() => app?.close());

function openShop(options: ShopOptions): Shop {
  const shop = createShop(options);
  onTestFinished(() => shop.close());
  return shop;
}

/** Values in the order of their arrival, each waited for. */
function inbox<T>(): { put(value: T): void; next(): Promise<T> } {
  const arrived: T[] = [];
  const waiting: ((value: T) => void)[] = [];
  return {
    put: (value) => (waiting.length > 0 ? waiting.shift()?.(value) : arrived.push(value)),
    next: () =>
      new Promise((resolve) =>
        arrived.length > 0 ? resolve(arrived.shift() as T) : waiting.push(resolve),
      ),
  };
}

async function firstProduct({ apollo }: Shop): Promise<string> {
  const { data } = await apollo.query({ query: SearchDocument, variables: { first: 1 } });
  return data?.products.edges[0]?.node.id ?? "";
}

async function addToStock({ apollo }: Shop, id: string): Promise<number | undefined> {
  const { data } = await apollo.mutate({ mutation: AdjustStockDocument, variables: { id, by: 1 } });
  expect(data?.adjustStock.errors).toEqual([]);
  return data?.adjustStock.product?.stock;
}

describe("the example client", () => {
  it("The client compiles unchanged and makes its tour.", async () => {
    mkdirSync(join(root, ".cache"), { recursive: true });
    const out = mkdtempSync(join(root, ".cache/example-client-"));
    onTestFinished(() => rmSync(out, { recursive: true }));
    const compiled = spawnSync(
      process.execPath,
      ["node_modules/typescript/bin/tsc", "-p", "examples/client", "--outDir", out],
      {
        cwd: root,
        encoding: "utf8",
      },
    );
    expect(compiled.stdout).toBe("");

    const child = spawn(process.execPath, [join(out, "main.js"), app.url], {
      cwd: root,
      env: { ...process.env, ADMIN_TOKEN: app.adminToken },
    });
    onTestFinished(() => void child.kill("SIGKILL"));
    const printed: string[] = [];
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (chunk: Buffer) => printed.push(chunk.toString()));
    const [code] = await once(child, "close");
    const output = printed.join("");
    expect({ code, output }).toEqual({
      code: 0,
      output: expect.stringMatching(/watching .*: \d+ in stock, version \d+/),
    });
    const [, changed, read] = /changed to (\d+) in stock, read back (\d+)/.exec(output) ?? [];
    expect(read).toBe(changed);
    expect(output).toContain(`told of ${changed} in stock`);
  });

  it("The client fills a cart as a guest and finds it on another device.", async () => {
    mkdirSync(join(root, ".cache"), { recursive: true });
    const out = mkdtempSync(join(root, ".cache/example-cart-"));
    onTestFinished(() => rmSync(out, { recursive: true }));
    spawnSync(
      process.execPath,
      ["node_modules/typescript/bin/tsc", "-p", "examples/client", "--outDir", out],
      { cwd: root },
    );
    const { email, password } = await signUp(app.url);
    const child = spawn(process.execPath, [join(out, "cart.js"), app.url, email, password], {
      cwd: root,
    });
    const printed: string[] = [];
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (chunk: Buffer) => printed.push(chunk.toString()));
    const [code] = await once(child, "close");
    const output = printed.join("");
    const [, filled, found] =
      /as a guest: (1 × .*)\nsigned in, on another device: (.*)\n/.exec(output) ?? [];
    expect({ code, output, found }).toEqual({
      code: 0,
      output: expect.stringContaining(" came along"),
      found: filled,
    });
    expect(found).toMatch(/ for \d+ EUR$/);
  });

  it("The client draws a live board again after a sale.", async () => {
    mkdirSync(join(root, ".cache"), { recursive: true });
    const out = mkdtempSync(join(root, ".cache/example-board-"));
    onTestFinished(() => rmSync(out, { recursive: true }));
    spawnSync(
      process.execPath,
      ["node_modules/typescript/bin/tsc", "-p", "examples/client", "--outDir", out],
      { cwd: root },
    );
    const child = spawn(
      process.execPath,
      [join(out, "live-board.js"), "best-selling-products", app.url],
      { cwd: root },
    );
    onTestFinished(() => void child.kill("SIGKILL"));
    let output = "";
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (chunk: Buffer) => (output += chunk));
    await until("the first board", () => output.includes("Best-selling products, today: 0 in all"));
    const admin = openShop({ url: app.url, token: app.adminToken });
    const id = await firstProduct(admin);
    for (const by of [10, -7])
      await admin.apollo.mutate({
        mutation: AdjustStockDocument,
        variables: { id, by, operationId: `by ${by}` },
      });
    await until("the sale on the board", () =>
      /today: 1 in all, version 1\n +1 {2}.* 7\n/.test(output),
    );
  });

  it("After a lost connection it is told what it missed, once, of its own accord.", async () => {
    const proxy = await createProxy({
      target: { host: "127.0.0.1", port: Number(new URL(app.url).port) },
    });
    onTestFinished(() => proxy.close());
    const connections = inbox<true>();
    const watching = openShop({
      url: `http://${proxy.host}:${proxy.port}/graphql`,
      onConnected: () => connections.put(true),
    });
    const admin = openShop({ url: app.url, token: app.adminToken });
    const id = await firstProduct(admin);

    const changes = inbox<ProductChange | Error>();
    const stop = watchProducts(watching.apollo, [id], {
      onChange: changes.put,
      onError: changes.put,
    });
    onTestFinished(stop);
    const before = (await changes.next()) as ProductChange;
    await connections.next();
    await proxy.cut();
    const stock = await addToStock(admin, id);
    await proxy.restore();
    await connections.next();
    const after = (await changes.next()) as ProductChange;
    expect(after.product?.stock).toBe(stock);
    expect(Number(after.version)).toBe(Number(before.version) + 1);

    // Nothing has changed: the value that every new connection begins with is not told again, so
    // the next one told is the next change.
    proxy.hangUp();
    await connections.next();
    const later = await addToStock(admin, id);
    expect(((await changes.next()) as ProductChange).product?.stock).toBe(later);
  });

  it("The client gets the error of a refused subscription at once.", async () => {
    const shop = openShop({ url: app.url });
    const answers = inbox<ProductChange | Error>();
    onTestFinished(
      watchProducts(shop.apollo, ["nonsense"], { onChange: answers.put, onError: answers.put }),
    );
    expect(await answers.next()).toBeInstanceOf(Error);
  });

  it("The client stays away with an invalid token.", async () => {
    const shop = openShop({ url: app.url, token: "not-the-token-of-this-shop" });
    const answers = inbox<ProductChange | Error>();
    onTestFinished(
      watchProducts(shop.apollo, [await firstProduct(openShop({ url: app.url }))], {
        onChange: answers.put,
        onError: answers.put,
      }),
    );
    expect(await answers.next()).toBeInstanceOf(Error);
  });

  it("It sends the newest consistency token, even where answers overtake each other.", async () => {
    const sent: (string | null)[] = [];
    const answers = ["7.0.a", "12.0.b", "9.0.c", "11.1700000000000.d", null];
    const original = globalThis.fetch;
    onTestFinished(() => {
      globalThis.fetch = original;
    });
    globalThis.fetch = async (_, init) => {
      sent.push(new Headers(init?.headers).get("souk-seen"));
      const token = answers.shift();
      return new Response("{}", token ? { headers: { "souk-seen": token } } : {});
    };
    const consistent = createConsistentFetch();
    for (let call = 0; call < 6; call++) await consistent("http://shop.invalid/graphql");
    const both = "12.0.b,11.1700000000000.d";
    expect(sent).toEqual([null, "7.0.a", "12.0.b", "12.0.b", both, both]);
  });
});

describe("a limited client", () => {
  const LIMITS = { LIMIT_COST: "100", LIMIT_ADDRESS_BURST: "100", LIMIT_ADDRESS_PER_SECOND: "100" };

  it("It waits as told and asks again beyond its bucket, and is never refused.", async () => {
    const limited = await startApp({
      products: 20,
      env: LIMITS,
      roles: { api: true, worker: false },
    });
    onTestFinished(() => limited.close());
    const { apollo } = openShop({ url: limited.url });
    const search = () =>
      apollo.query({
        query: SearchDocument,
        variables: { first: 10 },
        fetchPolicy: "network-only",
      });
    for (let times = 0; times < 6; times++)
      expect((await search()).data?.products.edges).toHaveLength(10);
    const refused = await (await fetch(new URL("/metrics", limited.url))).text();
    expect(refused).toMatch(
      /souk_limit_requests_total\{bucket="address",outcome="refused"\} [1-9]/,
    );
  });

  it("A limited client passes a refusal on when the wait is too long.", async () => {
    const limited = await startApp({
      products: 20,
      env: { ...LIMITS, LIMIT_ADDRESS_PER_SECOND: "0.001" },
      roles: { api: true, worker: false },
    });
    onTestFinished(() => limited.close());
    const { apollo } = openShop({ url: limited.url });
    const search = () =>
      apollo.query({
        query: SearchDocument,
        variables: { first: 10 },
        fetchPolicy: "network-only",
      });
    await expect(
      (async () => {
        for (let times = 0; times < 6; times++) await search();
      })(),
    ).rejects.toThrow();
  });
});
