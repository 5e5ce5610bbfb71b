#!/usr/bin/env node
/**
 * Part of `npm run lint`: the words of src and test. It refuses names that were given up, pronouns
 * and voices in comments of src that have to be decoded, long sentences there, and titles of tests
 * that are no sentences.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import ts from "typescript";
import { FILES, IDENTIFIERS } from "./given-up-names.mjs";
import { sentences } from "./sentences.mjs";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const MAX_WORDS = 15;

const VOICE = /\b(?:whoever|somebody|nobody|everybody|told|tells|tell|knows)\b/gi;
const FRAGMENT = /^(?:that|is|are|who|whose)\b/i;
/** A capital letter, a digit, or the placeholder of a row. */
const SENTENCE_START = /^[A-Z\d%$]/;

/** What is wrong with the words of a file, as `path:line: complaint`. */
export function offences(path, text) {
  const found = [...fileName(path)];
  const parts = partsOf(path, text);
  if (parts) {
    found.push(...parts.identifiers.flatMap(identifier));
    if (path.startsWith("src/")) found.push(...commentsOfSource(path, text, parts.comments));
    found.push(...parts.titles.filter(isFragment).map(fragment));
  }
  return found.map(({ at, says }) => `${path}:${text.slice(0, at).split("\n").length}: ${says}`);
}

const partsOf = (path, text) => {
  if (path.endsWith(".ts")) return typescriptParts(text);
  if (path.endsWith(".lua")) return luaParts(text);
  return path.endsWith(".sql") ? { ...NOTHING, comments: matches(text, SQL_COMMENT) } : null;
};

/** The term for a name that was given up. */
const instead = (name, names) =>
  names.find(([old]) => (typeof old === "string" ? old === name : old.test(name)))?.[1];

const refusedName = (name, names, at) => {
  const term = instead(name, names);
  return term ? [{ at, says: `"${name}" was given up: ${term}` }] : [];
};

const fileName = (path) =>
  path.split("/").flatMap((part) => refusedName(part.split(".")[0], FILES, 0));

const identifier = ({ text, at }) => refusedName(text, IDENTIFIERS, at);

const commentsOfSource = (path, text, comments) => [
  ...comments.flatMap(voice),
  ...(path.endsWith(".sql") ? [] : sentences(text, comments).filter(isLong).map(long)),
];

const voice = ({ text, at }) =>
  [...text.matchAll(VOICE)].map(({ 0: word, index }) => ({
    at: at + index,
    says: `a comment says "${word}": name the part or the reader by its term`,
  }));

const isLong = ({ words }) => words > MAX_WORDS;

const long = ({ at, words }) => ({
  at,
  says: `a sentence of a comment has ${words} words: write at most ${MAX_WORDS}`,
});

/** A test is a sentence of its own; a describe may be the subject of several. */
const isFragment = ({ text, root }) =>
  FRAGMENT.test(text) || (root !== "describe" && !SENTENCE_START.test(text));

const fragment = ({ text, at }) => ({ at, says: `the title "${text}" is no sentence` });

/** Identifiers, comments and titles of tests, each with its position. */
function typescriptParts(text) {
  const source = ts.createSourceFile("a.ts", text, ts.ScriptTarget.Latest, true);
  const parts = { identifiers: [], comments: [], titles: [] };
  const visit = (node) => {
    if (ts.isJSDoc(node)) return;
    const children = node.getChildren(source);
    const at = node.getStart(source);
    if (ts.isIdentifier(node)) parts.identifiers.push({ text: node.text, at });
    if (ts.isCallExpression(node)) parts.titles.push(...titleOf(node));
    if (children.every(ts.isJSDoc))
      parts.comments.push(...commentsIn(text, node.getFullStart(), at));
    else children.forEach(visit);
  };
  visit(source);
  return parts;
}

/** The comments of what stands between two tokens. */
function commentsIn(text, from, to) {
  const scanner = ts.createScanner(ts.ScriptTarget.Latest, false);
  const found = [];
  scanner.setText(text, from, to - from);
  for (let kind = scanner.scan(); kind !== ts.SyntaxKind.EndOfFileToken; kind = scanner.scan()) {
    const isComment =
      kind === ts.SyntaxKind.SingleLineCommentTrivia ||
      kind === ts.SyntaxKind.MultiLineCommentTrivia;
    if (isComment) found.push({ text: scanner.getTokenText(), at: scanner.getTokenStart() });
  }
  return found;
}

/** The first argument of `test`, `it`, `describe` and of what their methods return. */
function titleOf({ expression, arguments: [title] }) {
  const text = title && titleText(title);
  const root = rootOf(expression);
  return text && /^(?:test|it|describe)$/.test(root) ? [{ text, root, at: title.getStart() }] : [];
}

const titleText = (node) =>
  ts.isStringLiteralLike(node) ? node.text : ts.isTemplateExpression(node) && node.head.text;

function rootOf(node) {
  if (ts.isIdentifier(node)) return node.text;
  const from = node.expression ?? node.tag;
  return from ? rootOf(from) : "";
}

const NOTHING = { identifiers: [], comments: [], titles: [] };
const SQL_COMMENT = /'(?:[^']|'')*'|(--.*|\/\*[\s\S]*?\*\/)/g;
const LUA_COMMENT = /"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|(--\[\[[\s\S]*?\]\]|--.*)/g;
const LUA_NAME =
  /"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|--\[\[[\s\S]*?\]\]|--.*|([A-Za-z_][A-Za-z0-9_]*)/g;

const luaParts = (text) => ({
  ...NOTHING,
  identifiers: matches(text, LUA_NAME),
  comments: matches(text, LUA_COMMENT),
});

/** What the group of a pattern matches: the rest of the pattern is passed over. */
const matches = (text, pattern) =>
  [...text.matchAll(pattern)].flatMap(({ 1: found, index }) =>
    found ? [{ text: found, at: index }] : [],
  );

function lint() {
  const found = ["src", "test"].flatMap((room) =>
    readdirSync(join(ROOT, room), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => join(parentPath, name).slice(ROOT.length))
      .flatMap((path) => offences(path, readFileSync(join(ROOT, path), "utf8"))),
  );
  for (const line of found) console.error(line);
  if (found.length > 0) process.exit(1);
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) lint();
