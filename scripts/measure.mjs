#!/usr/bin/env node
/**
 * `npm run measure`: how easy `src` is to read, in figures: width, comments, names, sizes, cycles
 * and folders. test/measure.test.ts holds those that have a bound.
 */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import ts from "typescript";

const SRC = fileURLToPath(new URL("../src", import.meta.url));
const MAX_WIDTH = 100;

/** The figures of `src`. Sizes are `[median, p90, max]`. */
export function measure() {
  const paths = readdirSync(SRC, { recursive: true, encoding: "utf8" });
  const files = paths.filter((path) => path.endsWith(".ts")).map(readFile);
  const lua = paths.filter((path) => path.endsWith(".lua")).map(textOf);
  const lines = [...files.map(({ text }) => text), ...lua].flatMap((text) => text.split("\n"));
  const wide = lines.filter((line) => line.length > MAX_WIDTH);
  return {
    wideLines: wide.length,
    wideShare: wide.length / lines.length,
    longestLine: Math.max(...lines.map((line) => line.length)),
    commentWords: mean(files.flatMap(({ text }) => commentLines(text).map(wordsOf))),
    repeatedNames: repeated(files.map(topLevelNames)),
    fileLines: spread(files.map(({ text }) => text.split("\n").length - 1)),
    functionLines: spread(files.flatMap(functionLines)),
    valueCycles: cycles(files, false),
    cycles: cycles(files, true),
    fullestFolder: Math.max(...folderSizes(paths)),
  };
}

const textOf = (path) => readFileSync(join(SRC, path), "utf8");

function readFile(path) {
  const text = textOf(path);
  return { path, text, source: ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true) };
}

/** The text of each comment line, without its marks. */
function commentLines(text) {
  const scanner = ts.createScanner(
    ts.ScriptTarget.Latest,
    false,
    ts.LanguageVariant.Standard,
    text,
  );
  const found = [];
  for (let kind = scanner.scan(); kind !== ts.SyntaxKind.EndOfFileToken; kind = scanner.scan()) {
    const isComment =
      kind === ts.SyntaxKind.SingleLineCommentTrivia ||
      kind === ts.SyntaxKind.MultiLineCommentTrivia;
    if (isComment) found.push(...scanner.getTokenText().split("\n"));
  }
  return found
    .map((line) => line.replace(/^\s*(\/\*\*?|\*\/?|\/\/)|\*\/$/g, "").trim())
    .filter(Boolean);
}

const wordsOf = (line) => line.split(/\s+/).length;

function topLevelNames({ source }) {
  return source.statements.flatMap((statement) => {
    if (ts.isVariableStatement(statement))
      return statement.declarationList.declarations.map(({ name }) => name.getText());
    const isNamed =
      ts.isFunctionDeclaration(statement) ||
      ts.isClassDeclaration(statement) ||
      ts.isInterfaceDeclaration(statement) ||
      ts.isTypeAliasDeclaration(statement);
    return isNamed && statement.name ? [statement.name.text] : [];
  });
}

/** How many names stand in several files. */
function repeated(namesOfFiles) {
  const counts = new Map();
  for (const names of namesOfFiles)
    for (const name of new Set(names)) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts.values()].filter((count) => count > 1).length;
}

function functionLines({ source }) {
  const sizes = [];
  const visit = (node) => {
    if (ts.isFunctionLike(node) && node.body) {
      const [from, to] = [node.getStart(), node.getEnd()].map(
        (position) => source.getLineAndCharacterOfPosition(position).line,
      );
      sizes.push(to - from + 1);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return sizes;
}

/** Groups of files that import each other in a circle. */
function cycles(files, withTypes) {
  const graph = new Map(files.map((file) => [file.path, importsOf(file, withTypes)]));
  return components(graph).filter((group) => group.length > 1).length;
}

function importsOf({ path, source }, withTypes) {
  return source.statements.flatMap((statement) => {
    if (!ts.isImportDeclaration(statement) && !ts.isExportDeclaration(statement)) return [];
    const to = statement.moduleSpecifier?.text;
    const clause = ts.isImportDeclaration(statement) ? statement.importClause : statement;
    const names = clause?.namedBindings?.elements ?? clause?.exportClause?.elements ?? [];
    const isType =
      clause?.isTypeOnly ||
      (names.length > 0 && !clause.name && names.every((name) => name.isTypeOnly));
    if (!to?.startsWith(".") || (isType && !withTypes)) return [];
    return [join(dirname(path), to).replace(/\.js$/, ".ts")];
  });
}

/** Strongly connected components, by Tarjan. */
function components(graph) {
  const [indexes, lows, onStack] = [new Map(), new Map(), new Set()];
  const [stack, found] = [[], []];
  const close = (node) => {
    const group = stack.splice(stack.indexOf(node));
    for (const member of group) onStack.delete(member);
    found.push(group);
  };
  const visit = (node) => {
    indexes.set(node, indexes.size);
    lows.set(node, indexes.get(node));
    stack.push(node);
    onStack.add(node);
    for (const next of graph.get(node)?.filter((path) => graph.has(path)) ?? []) {
      if (!indexes.has(next)) visit(next);
      if (onStack.has(next)) lows.set(node, Math.min(lows.get(node), lows.get(next)));
    }
    if (lows.get(node) === indexes.get(node)) close(node);
  };
  for (const node of graph.keys()) if (!indexes.has(node)) visit(node);
  return found;
}

/** Entries of each folder, migrations aside: those are named by number. */
function folderSizes(paths) {
  const sizes = new Map();
  for (const path of paths) {
    const folder = dirname(path);
    if (!folder.startsWith("db/migrations")) sizes.set(folder, (sizes.get(folder) ?? 0) + 1);
  }
  return [...sizes.values()];
}

const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

function spread(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return [0.5, 0.9, 1].map(
    (share) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))],
  );
}

/** The table of docs/architecture.md: what is measured, the figure, its bound. */
export function tableOf(figures) {
  const sizes = (values) => values.join(" / ");
  const rows = [
    [
      `lines over ${MAX_WIDTH} characters`,
      `${(100 * figures.wideShare).toFixed(1)} % (longest ${figures.longestLine})`,
      "0",
    ],
    ["words on a comment line, mean", figures.commentWords.toFixed(1), "8"],
    ["top-level names declared in several files", figures.repeatedNames, "30"],
    ["file lines, median / p90 / max", sizes(figures.fileLines), "– / 200 / 300"],
    ["function lines, median / p90 / max", sizes(figures.functionLines), "10 / 25 / 60"],
    ["cycles by value, with types", `${figures.valueCycles}, ${figures.cycles}`, "0, 2"],
    ["entries in the fullest folder", figures.fullestFolder, "25"],
  ];
  const lines = rows.map((row) => `| ${row.join(" | ")} |`);
  return ["| measured | src | bound |", "|---|---|---|", ...lines];
}

const isCommand = process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href;
if (isCommand) console.log(tableOf(measure()).join("\n"));
