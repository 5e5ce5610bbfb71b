/** Every script says what it takes and returns, and becomes a command of every connection. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { loadScripts } from "../../../src/redis/client/scripts.js";

const room = fileURLToPath(new URL("../../../src/redis", import.meta.url));
const files = readdirSync(room, { recursive: true, encoding: "utf8" }).filter((file) =>
  file.endsWith(".lua"),
);
/** What scripts include; the others become commands. */
const parts = files.filter((file) => !/-(\d+|n)\.lua$/.test(file));
const scripts = loadScripts();

it("Every Lua file is a command named after its structure and action.", () => {
  expect(scripts).toHaveLength(files.length - parts.length);
  expect(scripts.map(({ command }) => command)).toContain("leaseAcquire");
});

it("Parts are put in where scripts include them, and every part is included.", () => {
  for (const { lua } of scripts) expect(lua).not.toMatch(/^-- include:/m);
  const headers = parts.map((part) => readFileSync(join(room, part), "utf8").split("\n")[1]);
  expect(headers.every((header) => /^ {2}Part of .{20,}/.test(header ?? ""))).toBe(true);
  expect(headers.every((header) => scripts.some(({ lua }) => lua.includes(header ?? "")))).toBe(
    true,
  );
});

describe.each(scripts)("$command", ({ numberOfKeys, lua }) => {
  const header = /--\[\[\n([\s\S]*?)\n\]\]/.exec(lua)?.[1] ?? "";
  const body = lua.slice(lua.indexOf("]]") + 2);
  const named = (text: string, what: string): number[] =>
    [
      ...new Set(
        [...text.matchAll(new RegExp(`${what}\\[(\\d+)\\]`, "g"))].map(([, index]) =>
          Number(index),
        ),
      ),
    ].sort((a, b) => a - b);

  it("A script opens with a sentence, KEYS, ARGV and what it returns.", () => {
    expect(header.split("\n")[0]).toMatch(/^ {2}[A-Z].{20,}/);
    // Where all keys come in groups, the header says KEYS[1..].
    const namedAlone = header.includes("KEYS[1..]") ? 0 : 1;
    expect(named(header, "KEYS")).toEqual(
      Array.from({ length: numberOfKeys ?? namedAlone }, (_, index) => index + 1),
    );
    if (numberOfKeys !== 0)
      expect(header).toMatch(/KEYS\[1(\.\.)?\] {2}(string|hash|zset|set|list|stream) {2}/);
    expect(header).toMatch(/^ {2}Returns {2}\S/m);
  });

  it("A script uses its declared keys and arguments, and builds no key.", () => {
    expect(named(body, "KEYS")).toEqual(named(header, "KEYS"));
    expect(named(body, "ARGV")).toEqual(named(header, "ARGV"));
    expect(body).not.toMatch(/souk:|KEYS\[\d\] *\.\./);
  });
});
