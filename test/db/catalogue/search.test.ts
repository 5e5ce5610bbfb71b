/** What people type into a search box, and what they find. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createBrandTable } from "../../../src/db/catalogue/brands.js";
import { createProductTable } from "../../../src/db/catalogue/products.js";
import type { Database } from "../../../src/db/client/database.js";
import { prefixQuery } from "../../../src/db/client/prefix-query.js";
import { DATABASES, draft, emptyDatabase, plantTree, put } from "../sample.js";

describe.each(DATABASES)("search on %s", (kind) => {
  let database: Database;
  let close: () => Promise<void>;
  const found = async (text: string) => (await createProductTable(database).counts([{ text }]))[0];

  beforeAll(async () => {
    ({ database, close } = await emptyDatabase(kind));
    await plantTree(database);
    await put(
      database,
      draft("AB-12/x", {
        name: "Größe Wi-Fi Köchin's Kühlschrank",
        description: "Reads <b>1.5e3</b> & it's 日本語 too.",
      }),
    );
  });
  afterAll(() => close?.());

  test.each([
    "grö",
    "GRÖ",
    "wi-fi",
    "wi fi",
    "wifi".slice(0, 2),
    "Wi/Fi köch",
    "ab-12",
    "12 ab",
    "köchin's",
    "日本",
    "1.5e3",
    "it's",
    "<b>",
    "x",
  ])("A search for %j finds the product.", async (text) => {
    expect(await found(text)).toBe(1);
  });

  test.each(["rösse", "fi zz", "hlschrank", "—", "!!!", "':*", "\0", "👍"])(
    "A search for %j finds nothing.",
    async (text) => {
      expect(await found(text)).toBe(0);
    },
  );

  test.each(["", "  ", "\t\n"])("A search for the blank text %j filters nothing.", async (text) => {
    expect(await found(text)).toBe(1);
  });

  const HOSTILE = [
    "a & | !",
    "(",
    "a:*b",
    "'; DROP TABLE products; --",
    "\\",
    "a\\' | b",
    "\ud800",
    "\udc00grö\ud83d",
    "\0grö\0",
    "<->",
    "a <2> b",
    "$1",
    "%",
    "\u202e",
    "A".repeat(10_000),
    "a ".repeat(5_000),
    "é".repeat(5_000),
    "\u0000".repeat(1_000),
  ];
  test.each(HOSTILE.map((text) => [text.slice(0, 24), text]))(
    "A search for %j takes it as mere text, for products and brands.",
    async (_, text) => {
      expect(await found(text)).toBeTypeOf("number");
      expect(await createBrandTable(database).count(text)).toBeTypeOf("number");
    },
  );
});

test("Lone surrogates and NUL separate words.", () => {
  expect(prefixQuery("\ud800red\0oak\udc00")).toBe("'red':* & 'oak':*");
});

test("A pair of surrogates is one letter and stays whole where a long word is cut.", () => {
  expect(prefixQuery("𝒳".repeat(300))).toBe(`'${"𝒳".repeat(100)}':*`);
});
