/** What the documents name exists: files, headings and decisions. CHANGELOG.md is history. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import { expect, test } from "vitest";
import { ROOT } from "../support/node-process.js";

const ROOMS = ["bench", "docs", "examples", "scripts", "src", "test"];
const DECISIONS = join(ROOT, "docs/decisions");

/** Every file of the repository below these folders. */
const files = ROOMS.flatMap((room) => filesBelow(join(ROOT, room)));
const names = new Set(files.map((file) => basename(file)));
const documents = ["README.md", "CONTRIBUTING.md"]
  .map((name) => join(ROOT, name))
  .concat(files.filter((file) => file.endsWith(".md")));

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (entry.name === "node_modules") return [];
    const path = join(folder, entry.name);
    return entry.isDirectory() ? filesBelow(path) : [path];
  });
}

/** Where each match of a pattern stands, as `file: match`, if `isMissing` says so. */
function missing(
  paths: readonly string[],
  pattern: RegExp,
  isMissing: (match: string, file: string) => boolean,
): string[] {
  return paths.flatMap((file) =>
    [...readFileSync(file, "utf8").matchAll(pattern)]
      .map(([, match = ""]) => match)
      .filter((match) => isMissing(match, file))
      .map((match) => `${relative(ROOT, file)}: ${match}`),
  );
}

/** The anchors of a document's headings, as GitHub makes them. */
const anchorsOf = (file: string): string[] =>
  [...readFileSync(file, "utf8").matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, "")
      .replaceAll(" ", "-"),
  );

test("Every link of a document leads to a file, and to a heading where it names one.", () => {
  const leadsNowhere = (link: string, file: string): boolean => {
    const [path = "", anchor] = link.split("#");
    const target = path === "" ? file : join(dirname(file), path);
    return !existsSync(target) || (anchor !== undefined && !anchorsOf(target).includes(anchor));
  };
  expect(missing(documents, /\]\((?!https?:)([^)\s]+)\)/g, leadsNowhere)).toEqual([]);
});

test("Every path that a document names exists, from the root, from src or beside it.", () => {
  const isAbsent = (path: string, file: string): boolean =>
    [ROOT, join(ROOT, "src"), dirname(file)].every((from) => !existsSync(join(from, path)));
  const isGone = (path: string, file: string): boolean =>
    path.includes("/") ? isAbsent(path, file) : !names.has(path);
  const source = /`([\w./-]+\.(?:graphql|lua|md|mjs|sql|ts))`/g;
  const folder = /`((?:docs|examples|scripts|src|test)\/[\w./-]*)`/g;
  expect(missing(documents, source, isGone)).toEqual([]);
  expect(missing(documents, folder, isAbsent)).toEqual([]);
});

test("Every document and decision that code names exists.", () => {
  const code = files.filter((file) => /\.(?:lua|mjs|ts)$/.test(file));
  const decisions = readdirSync(DECISIONS).map((name) => name.slice(0, 4));
  const isGone = (path: string): boolean => !existsSync(join(ROOT, path));
  const isUnknown = (number: string): boolean => !decisions.includes(number);
  expect(missing(code, /\b(docs\/[\w./-]+\.md)\b/g, isGone)).toEqual([]);
  expect(missing(code, /\bdecision (\d{4})\b/g, isUnknown)).toEqual([]);
});

test("Every decision begins with its number and title, and the index lists it by them.", () => {
  const index = readFileSync(join(DECISIONS, "README.md"), "utf8");
  const rows = readdirSync(DECISIONS)
    .filter((name) => name !== "README.md")
    .map((name) => {
      const [heading = ""] = readFileSync(join(DECISIONS, name), "utf8").split("\n");
      const [, number, title] = /^# (\d{4}) · (.+)$/.exec(heading) ?? [];
      expect([name, number]).toEqual([name, name.slice(0, 4)]);
      return `| [${number}](${name}) | ${title} |`;
    });
  expect(rows.filter((row) => !index.includes(row))).toEqual([]);
  expect(index.match(/^\| \[\d{4}\]/gm)).toHaveLength(rows.length);
});

test("The page of architecture has at most 1,800 words.", () => {
  const words = readFileSync(join(ROOT, "docs/architecture.md"), "utf8").split(/\s+/);
  expect(words.length).toBeLessThanOrEqual(1_800);
});

test("Each of thirty terms has a meaning, a place in the code and a source.", () => {
  const rows = readFileSync(join(ROOT, "docs/glossary.md"), "utf8")
    .split("\n")
    .filter((line) => /^\| (?!term )[A-Za-z]/.test(line))
    .map((line) => line.split(" | "));
  expect(rows).toHaveLength(30);
  expect(rows.filter((cells) => cells.length !== 4 || !cells[2]?.includes("`"))).toEqual([]);
});

test("Each journey of the architecture names as many files as it says.", () => {
  const page = readFileSync(join(ROOT, "docs/architecture.md"), "utf8");
  const counts = page
    .split("\n### ")
    .slice(1)
    .map((journey) => {
      const [, said = "", steps = ""] = journey.split("\n\n");
      const numbers = said.match(/\d+(?= files| on a miss)/g) ?? [];
      return [Math.max(...numbers.map(Number)), new Set(steps.match(/[\w./-]+\.ts(?=`)/g)).size];
    });
  expect(counts).toHaveLength(4);
  for (const [said, named] of counts) expect(named).toBe(said);
});
