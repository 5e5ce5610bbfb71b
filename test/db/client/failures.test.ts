/**
 * Failures of Postgres by SQLSTATE: what callers may retry, what runs once more by itself, and what
 * docs/errors.md says of each.
 */
import { readFileSync } from "node:fs";
import { sql } from "drizzle-orm";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { Database, Tx } from "../../../src/db/client/database.js";
import { RETRYABLE_STATES } from "../../../src/db/client/failures.js";
import { openDatabase } from "../../../src/db/client/open.js";
import { DatabaseUnavailable } from "../../../src/domain/errors.js";
import { silentTelemetry } from "../../../src/domain/telemetry/telemetry.js";
import { createProxy, type FaultyProxy } from "../../support/faults.js";
import { testLog } from "../../support/log.js";
import { type TestDatabase, testDatabase } from "../../support/postgres.js";
import { until } from "../../support/until.js";
import { DATABASES, emptyDatabase } from "../sample.js";

/** A statement that fails with this SQLSTATE, as a server in trouble answers it. */
const raise = (state: string) =>
  sql.raw(`DO $$ BEGIN RAISE EXCEPTION 'a server in trouble' USING ERRCODE = '${state}'; END $$`);

/** Which SQLSTATEs callers may retry, and how often the transaction runs. */
const STATES: readonly {
  readonly state: string;
  readonly retryable: boolean;
  readonly runs: number;
}[] = [
  ...[
    "08000",
    "08003",
    "08006",
    "08P01",
    "25006",
    "25P03",
    "40000",
    "40003",
    "53000",
    "53100",
    "53200",
    "53300",
    "53400",
  ],
  ...["55006", "55P03", "57000", "57014", "57P01", "57P02", "57P03", "57P05", "58000", "58030"],
]
  .map((state) => ({ state, retryable: true, runs: 1 }))
  .concat(["40001", "40P01"].map((state) => ({ state, retryable: true, runs: 2 })))
  .concat(
    ["22003", "22P02", "23505", "25P02", "40002", "42601", "42P01", "54000", "P0001", "XX000"].map(
      (state) => ({
        state,
        retryable: false,
        runs: 1,
      }),
    ),
  );

describe("a connection that is lost", () => {
  let database: TestDatabase;
  let proxied: Database;
  let proxy: FaultyProxy;

  beforeAll(async () => {
    database = await testDatabase();
    await database.database.query(sql`CREATE TABLE places (id int PRIMARY KEY)`);
    const url = new URL(database.url);
    proxy = await createProxy({ target: { host: url.hostname, port: Number(url.port) } });
    [url.hostname, url.port] = [proxy.host, String(proxy.port)];
    proxied = await openDatabase({
      url: url.href,
      dataDir: "",
      poolSize: 1,
      timeoutMs: 10_000,
      telemetry: silentTelemetry,
      log: testLog(),
    });
  });
  afterEach(() => proxy.restore());
  afterAll(async () => {
    await proxied?.close();
    await proxy?.close();
    await database?.close();
  });

  /** Loses the connection in place of the reply to a statement. */
  const loseReplyTo = (word: string) =>
    proxy.dropReplies((chunk) => {
      if (!chunk.includes(word)) return false;
      setImmediate(() => proxy.hangUp());
      return true;
    });
  const insert = (id: number) => sql`INSERT INTO places VALUES (${id})`;
  const isThere = async (id: number) =>
    (await database.database.query(sql`SELECT FROM places WHERE id = ${id}`)).length === 1;
  const UNKNOWN = "it may have been made";

  test("At its COMMIT, the transaction may have been made, and the error says so.", async () => {
    loseReplyTo("COMMIT");
    const failed = proxied.transaction((tx) => tx.query(insert(1)));
    await expect(failed).rejects.toMatchObject({
      code: "SERVICE_UNAVAILABLE",
      mayBeDone: true,
      message: expect.stringContaining(UNKNOWN),
    });
    expect(await isThere(1)).toBe(true);
  });

  test("A statement of its own may have been made, and the error says so.", async () => {
    await proxied.ping();
    loseReplyTo("INSERT");
    await expect(proxied.query(insert(2))).rejects.toMatchObject({
      mayBeDone: true,
      message: expect.stringContaining(UNKNOWN),
    });
    expect(await isThere(2)).toBe(true);
  });

  test("Between two statements nothing was made, because the COMMIT is not sent.", async () => {
    const failed = proxied.transaction(async (tx) => {
      await tx.query(insert(4));
      proxy.hangUp();
      await until("the connection to be known as lost", () =>
        tx.query(sql`SELECT 1`).then(
          () => false,
          () => true,
        ),
      );
    });
    await expect(failed).rejects.toMatchObject({
      mayBeDone: false,
      message: expect.not.stringContaining(UNKNOWN),
    });
    expect(await isThere(4)).toBe(false);
  });

  test("Before the COMMIT nothing was made, and the error does not say so.", async () => {
    loseReplyTo("INSERT");
    const failed = proxied.transaction((tx) => tx.query(insert(3)));
    await expect(failed).rejects.toMatchObject({
      mayBeDone: false,
      message: expect.not.stringContaining(UNKNOWN),
    });
    expect(await isThere(3)).toBe(false);
  });
});

describe.each(DATABASES)("failures on %s", (kind) => {
  let database: Database;
  let close: () => Promise<void>;

  beforeAll(async () => {
    ({ database, close } = await emptyDatabase(kind));
    await database.query(
      sql`CREATE TABLE places (id int PRIMARY KEY, taken int NOT NULL DEFAULT 0)`,
    );
    await database.query(sql`INSERT INTO places (id) SELECT generate_series(1, 20)`);
  });
  afterAll(() => close?.());

  test.each(STATES)(
    "SQLSTATE $state is retryable for callers: $retryable; the transaction runs $runs times.",
    async (row) => {
      const { state, retryable, runs } = row;
      let ran = 0;
      const failed = database.transaction(async (tx) => {
        ran += 1;
        await tx.query(raise(state));
      });
      const error = await failed.then(null, (reason: unknown) => reason);
      expect([error instanceof DatabaseUnavailable, ran]).toEqual([retryable, runs]);
      await expect(database.query(raise(state))).rejects.toSatisfy(
        (reason) => reason instanceof DatabaseUnavailable === retryable,
      );
      await database.ping();
    },
  );

  test("A transaction with work that runs only once is not repeated.", async () => {
    let ran = 0;
    const work = async (tx: Tx) => {
      ran += 1;
      await tx.query(raise("40P01"));
    };
    await expect(database.transaction(work, { once: true })).rejects.toBeInstanceOf(
      DatabaseUnavailable,
    );
    expect(ran).toBe(1);
  });

  test("A transaction whose first run fails commits what its second writes, once.", async () => {
    let ran = 0;
    await database.transaction(async (tx) => {
      await tx.query(sql`UPDATE places SET taken = taken + 1 WHERE id = 20`);
      ran += 1;
      if (ran === 1) await tx.query(raise("40001"));
    });
    expect(await database.query(sql`SELECT taken FROM places WHERE id = 20`)).toEqual([
      { taken: 1 },
    ]);
  });
});

describe("two transactions on PostgreSQL", () => {
  let database: Database;
  let close: () => Promise<void>;

  beforeAll(async () => {
    ({ database, close } = await emptyDatabase("postgres"));
    await database.query(
      sql`CREATE TABLE places (id int PRIMARY KEY, taken int NOT NULL DEFAULT 0)`,
    );
    await database.query(sql`INSERT INTO places (id) SELECT generate_series(1, 4)`);
  });
  afterAll(() => close?.());

  const take = (tx: Tx, id: number) =>
    tx.query(sql`UPDATE places SET taken = taken + 1 WHERE id = ${id}`);
  const taken = async () =>
    (await database.query<{ taken: number }>(sql`SELECT taken FROM places ORDER BY id`)).map(
      (row) => row.taken,
    );

  test("Two transactions that deadlock both commit, because the victim runs again.", async () => {
    const both = meeting(2);
    let runs = 0;
    let commit = () => {};
    const committed = new Promise<void>((resolve) => {
      commit = resolve;
    });
    const cross = async (first: number, second: number) => {
      await database.transaction(async (tx) => {
        // Begun before the winner has its lock, the second run could lock it out again.
        if (++runs > 2) await committed;
        await take(tx, first);
        await both();
        await take(tx, second);
      });
      commit();
    };
    await Promise.all([cross(1, 2), cross(2, 1)]);
    expect([runs, (await taken()).slice(0, 2)]).toEqual([3, [2, 2]]);
  });

  test("Two repeatable reads that change one row both commit: the later runs again.", async () => {
    const both = meeting(2);
    let runs = 0;
    const change = () =>
      database.transaction(async (tx) => {
        runs += 1;
        await tx.query(sql`SET TRANSACTION ISOLATION LEVEL REPEATABLE READ`);
        await tx.query(sql`SELECT taken FROM places WHERE id = 3`);
        await both();
        await take(tx, 3);
      });
    await Promise.all([change(), change()]);
    expect([runs, (await taken())[2]]).toEqual([3, 2]);
  });
});

/** Holds callers until `count` of them are there; later ones pass. */
function meeting(count: number): () => Promise<void> {
  let open = () => {};
  const complete = new Promise<void>((resolve) => {
    open = resolve;
  });
  let present = 0;
  return () => {
    present += 1;
    if (present >= count) open();
    return complete;
  };
}

test("The page of errors lists every retryable SQLSTATE with its treatment.", () => {
  const document = readFileSync(new URL("../../../docs/errors.md", import.meta.url), "utf8");
  const section = document.split(/^## /m).find((part) => part.startsWith("SQLSTATE")) ?? "";
  const rows = [
    ...section.matchAll(/^\| `([0-9A-Z]{2,5})` \| [^|]+ \| (answer|close|repeat) \|$/gm),
  ].map(([, state, what]) => [state, what]);
  expect(rows).toEqual(Object.entries(RETRYABLE_STATES).sort(([a], [b]) => (a < b ? -1 : 1)));
});
