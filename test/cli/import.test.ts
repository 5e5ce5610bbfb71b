/**
 * `npm run import`, as people run it: the built command, its messages and exit
 * codes, on PostgreSQL and on the embedded database.
 */

import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { PassThrough, Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { sql } from "drizzle-orm";
import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  expect,
  onTestFinished,
  test,
} from "vitest";
import { CATALOGUE_TAG } from "../../src/domain/catalogue/tags.js";
import { CATALOGUE_TOPIC } from "../../src/domain/events/events.js";
import { lockDataDir } from "../../src/embedded/data-lock.js";
import { drillSize } from "../support/drill.js";
import { temporaryFolder } from "../support/files.js";
import { ensureBuilt } from "../support/node-process.js";
import { type TestDatabase, testDatabase } from "../support/postgres.js";
import { until } from "../support/until.js";
import { run, start } from "./run-command.js";

const HEADER = "sku,name,description,category,brand,price,currency,stock";
const good = (sku: string, price = 500) =>
  `${sku},Oak Chair,Sturdy.,Home > Chairs,Alder,${price},EUR,3`;

let db: TestDatabase;
let folder: { path: string; remove(): Promise<void> };

beforeAll(ensureBuilt);
beforeEach(async () => {
  [db, folder] = await Promise.all([testDatabase(), temporaryFolder("import")]);
});
afterEach(() => Promise.all([db.close(), folder.remove()]));

const env = (more: NodeJS.ProcessEnv = {}) => ({ DATABASE_URL: db.url, ...more });
const save = async (name: string, content: string | Buffer) => {
  const path = join(folder.path, name);
  await writeFile(path, content);
  return path;
};
const csv = (...rows: string[]) => save("products.csv", [HEADER, ...rows, ""].join("\n"));
const skus = async () =>
  (await db.database.query<{ sku: string }>(sql`SELECT sku FROM products ORDER BY sku`)).map(
    ({ sku }) => sku,
  );

test("Importing the examples makes brands and categories, and a second time nothing.", async () => {
  expect(await run("import", ["examples/import/products.csv"], env())).toMatchObject({
    code: 0,
    stdout: "Imported 8 products: 8 new, 0 changed, 0 as they were.\n",
  });
  expect(await run("import", ["examples/import/products.ndjson"], env())).toMatchObject({
    code: 0,
    stdout: "Imported 5 products: 5 new, 0 changed, 0 as they were.\n",
  });
  expect(await run("import", ["examples/import/products.csv"], env())).toMatchObject({
    code: 0,
    stdout: "Imported 8 products: 0 new, 0 changed, 8 as they were.\n",
  });
  const [row] = await db.database.query(sql`
    SELECT p.name, p.description, b.name AS brand, p.price, p.stock,
      (SELECT array_agg(name ORDER BY cardinality(path)) FROM categories
        WHERE id = ANY(c.path)) AS category
    FROM products p JOIN brands b ON b.id = brand_id JOIN categories c ON c.id = category_id
    WHERE sku = 'EX-1002'`);
  expect(row).toEqual({
    name: "Fjord Oak Dining Table",
    description: 'Seats six. The top is finished with "hard-wax" oil.',
    brand: "Nordby",
    price: 79_900,
    stock: 7,
    category: ["Home & Living", "Furniture", "Tables"],
  });
  const outbox = await db.database.query(
    sql`SELECT payload->'tags' AS tags, payload->'events' AS events FROM outbox`,
  );
  expect(outbox).toEqual([
    { tags: [CATALOGUE_TAG], events: [{ topic: CATALOGUE_TOPIC, version: 0 }] },
    { tags: [CATALOGUE_TAG], events: [{ topic: CATALOGUE_TOPIC, version: 0 }] },
  ]);
});

test("An import leaves no words outside the text index, where searches read them.", async () => {
  await run("import", ["examples/import/products.csv"], env());
  expect(
    await db.database.query(sql`SELECT gin_clean_pending_list('products_search') AS pages`),
  ).toEqual([{ pages: 0 }]);
});

test("Standard input is imported like a file.", async () => {
  const input = await readFile("examples/import/products.ndjson", "utf8");
  expect(await run("import", ["-", "--format", "ndjson"], env(), input)).toMatchObject({
    code: 0,
    stdout: expect.stringContaining("5 new"),
  });
});

test("A change raises the version, a removed sku returns, an absent one stays.", async () => {
  await run("import", [await csv(good("A"), good("B"), good("C"))], env());
  await db.database.query(sql`UPDATE products SET removed_at = now() WHERE sku = 'B'`);
  expect(await run("import", [await csv(good("A", 600), good("B"))], env())).toMatchObject({
    code: 0,
    stdout: "Imported 2 products: 0 new, 2 changed, 0 as they were.\n",
  });
  const rows = await db.database.query(
    sql`SELECT sku, price, version, removed_at FROM products ORDER BY sku`,
  );
  expect(rows).toEqual([
    { sku: "A", price: 600, version: 2, removed_at: null },
    { sku: "B", price: 500, version: 2, removed_at: null },
    { sku: "C", price: 500, version: 1, removed_at: null },
  ]);
});

const BAD_ROWS: readonly (readonly [name: string, row: string | Buffer, reason: string])[] = [
  ["a missing name", "X,,Sturdy.,Home,Alder,5,EUR,3", "name is missing"],
  ["a missing currency", "X,Chair,,Home,Alder,5,,3", "currency is missing"],
  ["too few fields", "X,Chair,,Home", "has 4 fields where the header has 8"],
  ["a negative price", "X,Chair,,Home,Alder,-5,EUR,3", "price is negative (-5)"],
  [
    "a price in whole units",
    "X,Chair,,Home,Alder,4.99,EUR,3",
    'price is "4.99"; it must be a whole number of minor units',
  ],
  [
    "a price beyond the limit",
    "X,Chair,,Home,Alder,99999999999,EUR,3",
    "price is 99999999999; it must be",
  ],
  ["a negative stock", "X,Chair,,Home,Alder,5,EUR,-1", "stock is negative (-1)"],
  ["another currency", "X,Chair,,Home,Alder,5,USD,3", 'currency is "USD"; this shop sells in EUR'],
  [
    "a name that is too long",
    `X,${"n".repeat(201)},,Home,Alder,5,EUR,3`,
    "name has 201 characters; at most 200 are allowed",
  ],
  [
    "a path that is too deep",
    "X,Chair,,A>B>C>D>E>F>G>H>I,Alder,5,EUR,3",
    "category is 9 levels deep; at most 8 are allowed",
  ],
  ["a path with an empty name", "X,Chair,,A > > C,Alder,5,EUR,3", "a category name is missing"],
  [
    "invalid UTF-8",
    Buffer.concat([Buffer.from("X,Ch"), Buffer.from([0xff]), Buffer.from("r,,Home,Alder,5,EUR,3")]),
    "name is not valid UTF-8",
  ],
  ["a NUL", "X,Ch\0r,,Home,Alder,5,EUR,3", "name holds characters that are not valid text"],
  ["a sku that an earlier line has", good("GOOD-1", 700), 'sku "GOOD-1" is already on line 2'],
];

describe("a bad row keeps everything out, and is named with its line", () => {
  test.each(BAD_ROWS)(
    "A row with %s keeps everything out and is named with its line.",
    async (_, row, reason) => {
      const rows = [
        Buffer.from(`${HEADER}\n${good("GOOD-1")}\n`),
        Buffer.from(row),
        Buffer.from(`\n${good("GOOD-2")}\n`),
      ];
      const { code, stdout, stderr } = await run(
        "import",
        [await save("products.csv", Buffer.concat(rows))],
        env(),
      );
      expect(stderr).toContain(`line 3: ${reason}`);
      expect(stderr).toContain("1 bad of 3 rows: nothing was imported");
      expect({ code, stdout, skus: await skus() }).toEqual({ code: 1, stdout: "", skus: [] });
      expect(await db.database.query(sql`SELECT id FROM categories`)).toEqual([]);
    },
  );

  test("In NDJSON, broken JSON, no object, wrong types and half a pair are bad rows.", async () => {
    const base = {
      sku: "J",
      name: "Chair",
      description: "",
      category: "Home",
      brand: "Alder",
      price: 5,
      currency: "EUR",
      stock: 1,
    };
    const lines = [
      '{"sku":',
      "[]",
      JSON.stringify({ ...base, price: "cheap" }),
      JSON.stringify({ ...base, name: 7 }),
      JSON.stringify({ ...base, name: "x\ud800" }),
      "",
      JSON.stringify({ ...base, stock: 1.5 }),
      `{"x":"${"y".repeat(300_000)}"}`,
    ];
    const { code, stderr } = await run("import", [await save("p.ndjson", lines.join("\n"))], env());
    expect(code).toBe(1);
    expect(stderr.match(/line \d+: [^;\n]*/g)).toEqual([
      "line 1: is not valid JSON",
      "line 2: is not a JSON object",
      'line 3: price is "cheap"',
      "line 4: name is not a text",
      expect.stringContaining("line 5: name holds characters"),
      "line 7: stock is 1.5",
      "line 8: is longer than 256 KB",
    ]);
  });

  test("Of many bad rows a hundred are shown and all are counted.", async () => {
    const { stderr } = await run(
      "import",
      [await csv(...Array.from({ length: 250 }, (_, index) => `S${index},,,Home,Alder,5,EUR,1`))],
      env(),
    );
    expect(stderr.match(/^line /gm)).toHaveLength(100);
    expect(stderr).toContain("… and 150 more bad rows");
  });
});

test("With --skip-bad the good rows are imported and the bad ones counted.", async () => {
  const { code, stdout, stderr } = await run(
    "import",
    ["--skip-bad", await csv(good("A"), "X,,,Home,Alder,5,EUR,1", good("A"), good("B"))],
    env(),
  );
  expect(stdout).toBe(
    "Imported 2 products: 2 new, 0 changed, 0 as they were; 2 bad rows were left out.\n",
  );
  expect(stderr).toMatch(/line 3: name is missing\nline 4: sku "A" is already on line 2/);
  expect({ code, skus: await skus() }).toEqual({ code: 0, skus: ["A", "B"] });
});

test("Broken quoting ends the file and keeps all of it out, even with --skip-bad.", async () => {
  const { code, stderr } = await run(
    "import",
    ["--skip-bad", await csv(good("A"), 'X,"Chair" oops,,Home,Alder,5,EUR,1', good("B"))],
    env(),
  );
  expect(stderr).toContain(
    "line 3: the file cannot be read from here on: a quote is in the wrong place",
  );
  expect({ code, skus: await skus() }).toEqual({ code: 1, skus: [] });
});

test.each([
  [["nowhere.csv"], "nowhere.csv cannot be read"],
  [["-"], "Say what format standard input has"],
  [[], "Usage: npm run import"],
  [["a.csv", "b.csv"], "Usage: npm run import"],
])("Arguments %j are refused with a message and without a stack.", async (args, message) => {
  const { code, stderr } = await run("import", args, env());
  expect({ code, stack: /\n {4}at /.test(stderr) }).toEqual({ code: 1, stack: false });
  expect(stderr).toContain(message);
});

test("A header without all columns is refused by name.", async () => {
  const { code, stderr } = await run("import", [await save("p.csv", "sku,name\nA,B\n")], env());
  expect(code).toBe(1);
  expect(stderr).toContain("no column description, category, brand, price, currency, stock");
});

/** How many connections wait inside a transaction whose last statement was like this. */
const openTransactions = async (statement: string) =>
  (
    await db.database.query(
      sql`SELECT pid FROM pg_stat_activity
        WHERE datname = current_database() AND state LIKE 'idle in tr%'
          AND query LIKE ${statement}`,
    )
  ).length;

test("An import that is killed half-way leaves nothing half-written.", async () => {
  const child = start("import", ["-", "--format", "csv"], env());
  onTestFinished(() => void child.kill("SIGKILL"));
  child.stdin
    .on("error", () => {})
    .write(
      `${HEADER}\n${Array.from({ length: 2_500 }, (_, index) => good(`K-${index}`)).join("\n")}\n`,
    );
  await until("rows to be staged", async () => (await openTransactions("%INTO import_rows%")) > 0);
  child.kill("SIGKILL");
  await once(child, "close");
  await until("its transaction to end", async () => (await openTransactions("%")) === 0);
  expect(await skus()).toEqual([]);
  expect(await db.database.query(sql`SELECT id FROM outbox`)).toEqual([]);
});

test("A large import is announced by one tag and event, and by none if unchanged.", async () => {
  await run("import", [await csv(good("A"), good("B"))], env());
  await run("import", [await csv(good("A"), good("B"))], env());
  const outbox = await db.database.query(
    sql`SELECT payload->'tags' AS tags, payload->'events' AS events FROM outbox`,
  );
  expect(outbox).toEqual([
    { tags: [CATALOGUE_TAG], events: [{ topic: CATALOGUE_TOPIC, version: 0 }] },
  ]);
});

test("A long file needs no more memory than a short one: at most 300 MB.", async () => {
  const rows = drillSize({ sample: 10_000, full: 100_000 });
  const child = start("import", ["-", "--format", "ndjson"], env());
  onTestFinished(() => void child.kill("SIGKILL"));
  const ended = Promise.all([text(child.stdout), once(child, "close")]);
  let peak = 0;
  await pipeline(
    Readable.from(longFile(rows)),
    new PassThrough().on("data", () => {
      peak = Math.max(peak, residentBytes(child.pid ?? 0));
    }),
    child.stdin,
  );
  const [stdout, [code]] = await ended;
  expect({ code, stdout }).toEqual({
    code: 0,
    stdout: expect.stringContaining(`${rows.toLocaleString("en")} new`),
  });
  expect(peak).toBeLessThanOrEqual(300 * 1024 * 1024);
});

function* longFile(rows: number): Generator<string> {
  for (let index = 0; index < rows; index++) {
    const row = {
      sku: `L-${index}`,
      name: `Chair ${index}`,
      description: "Sturdy. ".repeat(20),
      category: `Home > Room ${index % 30}`,
      brand: `Brand ${index % 200}`,
    };
    yield `${JSON.stringify({ ...row, price: index, currency: "EUR", stock: index % 50 })}\n`;
  }
}

/** Peak memory of a process, where the system reports it. */
function residentBytes(pid: number): number {
  const status = existsSync(`/proc/${pid}/status`)
    ? readFileSync(`/proc/${pid}/status`, "utf8")
    : "";
  return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? 0) * 1024;
}

test("Progress without a terminal is plain lines on standard error.", async () => {
  const { stderr } = await run("import", ["examples/import/products.csv"], env());
  expect(stderr).toContain("8 rows read\n");
  expect(stderr).not.toContain("\x1b");
});

/**
 * Three processes open it one after another; each start is seconds of a
 * processor, and more beside others.
 */
const EMBEDDED_MS = 300_000;

describe("on the embedded database", () => {
  let dir: { path: string; remove(): Promise<void> };
  beforeAll(async () => {
    dir = await temporaryFolder("embedded");
  });
  afterAll(() => dir.remove());

  test(
    "The seed fills it once, and an import adds to it.",
    async () => {
      const at = { DATA_DIR: join(dir.path, "data") };
      expect(await run("seed", ["--products", "200"], at)).toMatchObject({
        code: 0,
        stdout: "Seeded 200 products, 1,000 reviews, 6 brands and 50 categories.\n",
      });
      expect(await run("seed", ["--products", "200"], at)).toMatchObject({
        code: 0,
        stdout: "The database already has a catalogue; nothing was changed.\n",
      });
      expect(await run("import", ["examples/import/products.csv"], at)).toMatchObject({
        code: 0,
        stdout: "Imported 8 products: 8 new, 0 changed, 0 as they were.\n",
      });
    },
    EMBEDDED_MS,
  );

  test("The command asks to stop the app that holds the database, or for DATABASE_URL.", async () => {
    const lock = await lockDataDir(join(dir.path, "held"));
    const { code, stderr } = await run("import", ["examples/import/products.csv"], {
      DATA_DIR: join(dir.path, "held"),
    });
    expect(code).toBe(1);
    expect(stderr).toMatch(/in use by process \d+[\s\S]*Stop that one first, or set DATABASE_URL/);
    await lock.close();
  });

  test.each(["0", "many", "-3", "1.5"])("The seed refuses --products %s.", async (count) => {
    expect(
      await run("seed", [`--products=${count}`], { DATA_DIR: join(dir.path, "none") }),
    ).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("--products must be a whole number"),
    });
  });
});
