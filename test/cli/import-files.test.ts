/**
 * Files that people and spreadsheets make: marks, encodings, columns, and rows
 * without a bound, read by the readers of the import.
 */
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import fc from "fast-check";
import { beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { BoundedRows, MAX_FIELDS, MAX_ROW_BYTES } from "../../src/cli/csv-rows.js";
import { readCsv } from "../../src/cli/read-csv.js";
import { readNdjson } from "../../src/cli/read-ndjson.js";
import { StartupError } from "../../src/domain/errors.js";
import { readImportRow, type SourceRow } from "../../src/services/catalogue/import-row.js";
import { ensureBuilt } from "../support/node-process.js";
import { testDatabase } from "../support/postgres.js";
import { start } from "./run-command.js";

const HEADER = "sku,name,description,category,brand,price,currency,stock";
const ROW = "A,Café,,Home,Alder,5,EUR,3";
const READ = {
  sku: "A",
  name: "Café",
  brand: "Alder",
  category: ["Home"],
  price: 5,
  stock: 3,
  description: "",
};
const JSON_ROW = {
  sku: "A",
  name: "Café",
  description: "",
  category: "Home",
  brand: "Alder",
  price: 5,
  currency: "EUR",
  stock: 3,
};

/** Bytes in chunks of a size. */
async function* chunks(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

type Reader = typeof readCsv;
async function read(
  reader: Reader,
  file: string | Buffer,
  chunkSize = 64 * 1024,
): Promise<SourceRow[]> {
  const rows: SourceRow[] = [];
  for await (const batch of reader(chunks(Buffer.from(file as string), chunkSize)))
    rows.push(...batch);
  return rows;
}

/** What an import makes of a file: rows, or the reasons why not by line. */
async function outcome(
  reader: Reader,
  file: string | Buffer,
  chunkSize?: number,
): Promise<unknown[]> {
  try {
    return (await read(reader, file, chunkSize)).map((row) => {
      const result = "reason" in row ? row.reason : readImportRow(row.line, row.values, "EUR");
      return typeof result === "string" ? `${row.line}: ${result}` : result;
    });
  } catch (error) {
    if (error instanceof StartupError) return [error.message];
    throw error;
  }
}

const utf16be = (content: string) => Buffer.from(content, "utf16le").swap16();
const utf32 = (content: string, bigEndian: boolean) =>
  Buffer.concat(
    [...content].map((sign) => {
      const four = Buffer.alloc(4);
      if (bigEndian) four.writeUInt32BE(sign.codePointAt(0) ?? 0);
      else four.writeUInt32LE(sign.codePointAt(0) ?? 0);
      return four;
    }),
  );
const MARK = "\uFEFF";

describe.each([
  ["CSV", readCsv as Reader, `${HEADER}\n${ROW}\n`],
  ["NDJSON", readNdjson as Reader, `${JSON.stringify(JSON_ROW)}\n`],
])("a file of %s", (_, reader, content) => {
  test.each([1, 2, 3, 7, 64 * 1024])(
    "A byte-order mark is no part of the text, in chunks of %i bytes.",
    async (size) => {
      expect(await outcome(reader, MARK + content, size)).toEqual([expect.objectContaining(READ)]);
      expect(await outcome(reader, content, size)).toEqual([expect.objectContaining(READ)]);
    },
  );

  test.each([
    [
      "UTF-16, little endian, with a mark",
      Buffer.from(MARK + content, "utf16le"),
      /is in UTF-16.*CSV UTF-8.*iconv/,
    ],
    ["UTF-16, big endian, with a mark", utf16be(MARK + content), /is in UTF-16/],
    ["UTF-32, little endian, with a mark", utf32(MARK + content, false), /is in UTF-32/],
    ["UTF-32, big endian, with a mark", utf32(MARK + content, true), /is in UTF-32/],
    [
      "UTF-16, little endian, without a mark",
      Buffer.from(content, "utf16le"),
      /begins like UTF-16, UTF-32 or a binary/,
    ],
    ["UTF-16, big endian, without a mark", utf16be(content), /begins like UTF-16/],
    ["UTF-32, without a mark", utf32(content, true), /begins like UTF-16/],
    ["a spreadsheet", Buffer.from("PK\x03\x04\x14\0\0\0"), /a binary format/],
  ])("A file in another encoding is refused with what to do: %s.", async (_name, file, message) => {
    for (const size of [1, 64 * 1024])
      expect(await outcome(reader, file, size)).toEqual([expect.stringMatching(message)]);
  });
});

describe("columns", () => {
  test.each([
    ["two columns of one name", `${HEADER},name\n`, 'names the column "name" twice'],
    [
      "two columns of one name in another case",
      `${HEADER},NAME\n`,
      'names the column "name" twice',
    ],
    [
      "two columns of one name in two forms",
      `${HEADER},caf\u00e9,cafe\u0301\n`,
      'names the column "caf\u00e9" twice',
    ],
    [
      "two columns of one name, one with an invisible space",
      `${HEADER},sku\u200b\n`,
      'names the column "sku" twice',
    ],
    ["a header of semicolons", `${HEADER.replaceAll(",", ";")}\n`, "separated by commas"],
    [
      "a header without an end",
      `${HEADER},${"x".repeat(MAX_ROW_BYTES)}`,
      "first line of the CSV file has more than 256 KB",
    ],
    [
      "a header of very many columns",
      `${HEADER}${",".repeat(MAX_FIELDS)}\n${ROW}\n`,
      "first line of the CSV file has more than 1000 fields",
    ],
    ["nothing but a mark", MARK, "The CSV file is empty"],
  ])("A header is refused by name: %s.", async (_, file, message) => {
    expect(await outcome(readCsv, file)).toEqual([expect.stringContaining(message)]);
  });

  test("Columns without a name, and with names of machinery, are ignored.", async () => {
    const file = `${HEADER},,,__proto__,constructor\n${ROW},,,x,y\n`;
    expect(await outcome(readCsv, file)).toEqual([expect.objectContaining(READ)]);
    expect({}).not.toHaveProperty("x");
  });
});

describe("rows of CSV", () => {
  const fields = "has more than 1000 fields";
  test.each([
    [
      "very many empty fields",
      ",".repeat(4_000_000),
      [`2: ${fields}`, expect.objectContaining(READ)],
    ],
    [
      "as many fields as are read",
      ",".repeat(MAX_FIELDS - 1),
      [`2: has ${MAX_FIELDS} fields where the header has 8`, expect.objectContaining(READ)],
    ],
    [
      "one long field",
      "x".repeat(MAX_ROW_BYTES + 1),
      ["2: has more than 256 KB", expect.objectContaining(READ)],
    ],
    [
      "quoted empty fields",
      '"",'.repeat(400_000),
      [
        "2: the file cannot be read from here on: a row has more than 1000 fields, or a " +
          "quote is not closed",
      ],
    ],
    [
      "an open quote",
      `"${"x\n".repeat(MAX_ROW_BYTES)}`,
      [
        "2: the file cannot be read from here on: a row has more than 256 KB, or a quote is " +
          "not closed",
      ],
    ],
  ])(
    "A row without a bound is named with its line, and reading resumes where it is certain: %s.",
    async (_, row, rows) => {
      for (const end of ["\n", "\r\n", "\r"])
        for (const size of [1_000, 64 * 1024])
          expect(await outcome(readCsv, [HEADER, row, ROW, ""].join(end), size)).toEqual(rows);
    },
  );

  test("Line numbers stay right behind dropped rows, and behind quoted line breaks.", async () => {
    const wide = ",".repeat(MAX_FIELDS);
    for (const end of ["\n", "\r\n", "\r"]) {
      const file = [
        HEADER,
        wide,
        "",
        `A,"two${end}lines",,Home,Alder,x,EUR,3`,
        `B,"a${end}${end}b",,Home,Alder,x,EUR,3`,
        wide,
        "short",
        wide,
      ].join(end);
      const found = (await outcome(readCsv, file))
        .map(String)
        .sort((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10));
      expect(found).toEqual([
        `2: ${fields}`,
        expect.stringContaining("4: price is"),
        expect.stringContaining("6: price is"),
        `9: ${fields}`,
        "10: has 1 fields where the header has 8",
        `11: ${fields}`,
      ]);
    }
  });

  test("What is within bounds passes byte for byte, however it is cut into chunks.", async () => {
    const cell = fc
      .stringMatching(/^[a-c\r\n," ]{0,6}$/)
      .map((value) => `"${value.replaceAll('"', '""')}"`);
    const file = fc.array(
      fc.array(cell, { minLength: 1, maxLength: 4 }).map((cells) => cells.join(",")),
      { maxLength: 6 },
    );
    await fc.assert(
      fc.asyncProperty(
        file,
        fc.constantFrom("\n", "\r\n", "\r"),
        fc.integer({ min: 1, max: 9 }),
        async (rows, end, size) => {
          const content = rows.join(end);
          const bounded = new BoundedRows(chunks(Buffer.from(content), size));
          const pieces: Buffer[] = [];
          for await (const piece of bounded.pieces()) pieces.push(piece);
          expect([Buffer.concat(pieces).toString(), bounded.takeDropped()]).toEqual([content, []]);
        },
      ),
      { numRuns: 200, seed: 9 },
    );
  });
});

describe("lines of NDJSON", () => {
  const json = (more: string) => `{${more},${JSON.stringify(JSON_ROW).slice(1)}`;
  const nested = (depth: number) => "[".repeat(depth) + "]".repeat(depth);
  test.each([
    ["a key twice", json('"sku":"B"'), ['1: has the key "sku" twice']],
    [
      "a key twice, once spelled by escapes",
      json(String.raw`"\u0073ku":"B"`),
      ['1: has the key "sku" twice'],
    ],
    [
      "a key within another object",
      json('"x":{"sku":"B","y":["sku",{"sku":1}]}'),
      [expect.objectContaining(READ)],
    ],
    [
      "a key that is also a value",
      json(String.raw`"x":"sku\":","y":"\"sku\":"`),
      [expect.objectContaining(READ)],
    ],
    [
      "a prototype",
      json('"__proto__":{"sku":"B","polluted":1},"constructor":{}'),
      [expect.objectContaining(READ)],
    ],
    [
      "only a prototype",
      '{"__proto__":{"sku":"B"}}',
      [expect.stringMatching(/^1: sku, name, .* are missing$/)],
    ],
    [
      "deep nesting in a column of its own",
      json(`"x":${nested(100_000)}`),
      [expect.objectContaining(READ)],
    ],
    [
      "deep nesting in a number",
      JSON.stringify({ ...JSON_ROW, price: 0 }).replace('"price":0', `"price":${nested(100_000)}`),
      ["1: price is a list; it must be a whole number of minor units, such as cents"],
    ],
    [
      "deep nesting in a text",
      JSON.stringify(JSON_ROW).replace('"Café"', nested(100_000)),
      ["1: name is not a text"],
    ],
    [
      "deep nesting in the currency",
      JSON.stringify(JSON_ROW).replace('"EUR"', nested(100_000)),
      ["1: currency is not a text"],
    ],
    [
      "a line without a bound",
      `{"x":"${"y".repeat(5_000_000)}"}\n${JSON.stringify(JSON_ROW)}`,
      ["1: is longer than 256 KB", expect.objectContaining(READ)],
    ],
    [
      "a mark before a later line",
      `\n${MARK}${JSON.stringify(JSON_ROW)}`,
      [expect.objectContaining(READ)],
    ],
  ])("A line is read, or named with its reason: %s.", async (_, file, rows) => {
    expect(await outcome(readNdjson, file)).toEqual(rows);
    expect({}).not.toHaveProperty("polluted");
  });
});

describe("numbers", () => {
  test.each([
    ["99999999999999999999", "price is 100000000000000000000; it must be a whole number from 0 to"],
    ["1".repeat(400), "price is Infinity; it must be a whole number from 0 to"],
    ["-99999999999999999999", "price is negative"],
    ["1e400", 'price is "1e400"; it must be a whole number of minor units'],
    ["1.5", 'price is "1.5"; it must be a whole number of minor units'],
    ["cheap", 'price is "cheap"; it must be a whole number of minor units'],
  ])("A price of %s is refused for what it is.", async (price, message) => {
    expect(await outcome(readCsv, `${HEADER}\nA,Chair,,Home,Alder,${price},EUR,3\n`)).toEqual([
      expect.stringContaining(message),
    ]);
  });

  test("A number beyond all bounds in JSON is out of range, not no number.", async () => {
    const line = JSON.stringify({ ...JSON_ROW, price: 0 });
    for (const price of ["1e400", "9007199254740993", "1e21"])
      expect(await outcome(readNdjson, line.replace('"price":0', `"price":${price}`))).toEqual([
        expect.stringMatching(/^1: price is \S+; it must be a whole number from 0 to/),
      ]);
  });
});

/** Text that people paste, in every column that holds text. */
const PASTED: readonly (readonly [name: string, value: string, reason: RegExp])[] = [
  ["a zero-width space", "\u200b", /is missing$/],
  ["a Hangul filler", "\u3164", /is missing$/],
  ["a right-to-left override", "Ald\u202eer", /holds a character that changes the direction/],
  ["an unclosed isolate", "Ald\u2067er", /holds a character that changes the direction/],
  ["a bell", "Ald\u0007er", /holds characters that are not valid text/],
];

describe.each(["sku", "name", "brand", "category"])("the column %s", (column) => {
  test.each(PASTED)("Text that nobody can read is refused: %s.", async (_, value, reason) => {
    expect(await outcome(readNdjson, JSON.stringify({ ...JSON_ROW, [column]: value }))).toEqual([
      expect.stringMatching(reason),
    ]);
  });
});

test("Texts of an import are stored in one form.", async () => {
  const decomposed = {
    sku: "É-1",
    name: "Café",
    description: "Crème",
    category: "Thé > Ölçer",
    brand: "Citroën",
  };
  const line = JSON.stringify({ ...JSON_ROW, ...decomposed }).normalize("NFD");
  expect(await outcome(readNdjson, line)).toEqual([
    expect.objectContaining({ ...decomposed, category: ["Thé", "Ölçer"] }),
  ]);
});

/** Peak memory of a process, where the system reports it. */
function residentBytes(pid: number): number {
  const status = existsSync(`/proc/${pid}/status`)
    ? readFileSync(`/proc/${pid}/status`, "utf8")
    : "";
  return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? 0) * 1024;
}

describe("a whole import", () => {
  beforeAll(ensureBuilt);

  test("A row of sixty million fields takes little memory; --skip-bad skips it only.", async () => {
    const db = await testDatabase();
    onTestFinished(() => db.close());
    const child = start("import", ["--skip-bad", "-", "--format", "csv"], {
      DATABASE_URL: db.url,
    });
    onTestFinished(() => void child.kill("SIGKILL"));
    const ended = Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
    let peak = 0;
    function* file(): Generator<string> {
      yield `${MARK}${HEADER}\n`;
      for (let index = 0; index < 60; index++) {
        peak = Math.max(peak, residentBytes(child.pid ?? 0));
        yield ",".repeat(1_000_000);
      }
      yield `\n${ROW}\n`;
    }
    await pipeline(Readable.from(file()), child.stdin);
    const [stdout, stderr, [code]] = await ended;
    expect({ code, stdout, stderr }).toEqual({
      code: 0,
      stdout: expect.stringContaining("1 new"),
      stderr: expect.stringContaining("line 2: has more than 1000 fields"),
    });
    expect(peak).toBeLessThanOrEqual(300 * 1024 * 1024);
  });
});
