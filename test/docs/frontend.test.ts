/** What the page for frontends shows works: its operations, programs, origins, headers and codes. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { buildSchema, isInterfaceType, parse, validate } from "graphql";
import ts from "typescript";
import { expect, test } from "vitest";
import { readConfig } from "../../src/config/config.js";
import { ERROR_CODES } from "../../src/domain/errors.js";
import { EXPOSED_HEADERS } from "../../src/server/http/common-headers.js";
import { ROOT } from "../support/node-process.js";

const PAGE = readFileSync(join(ROOT, "docs/frontend.md"), "utf8");
const schema = buildSchema(readFileSync(join(ROOT, "src/schema/schema.graphql"), "utf8"));

/** The blocks of the page in a language. */
const blocksIn = (language: string): string[] =>
  [...PAGE.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, "gm"))].map(
    ([, block = ""]) => block,
  );

test("Each operation of the page fits the schema.", () => {
  const operations = blocksIn("graphql");
  expect(operations.length).toBeGreaterThan(2);
  for (const operation of operations)
    expect(validate(schema, parse(operation)).map(({ message }) => message)).toEqual([]);
});

test("Each program of the page compiles against the libraries that are installed.", () => {
  const all = blocksIn("ts");
  expect(all).toHaveLength(4);
  // Relay is not installed: its block is parsed alone.
  const programs = all.filter((text) => !text.includes("relay-runtime"));
  expect(programs).toHaveLength(3);
  const names = programs.map((_, at) => join(ROOT, "test/docs", `block-${at}.ts`));
  const options: ts.CompilerOptions = {
    noEmit: true,
    strict: true,
    skipLibCheck: true,
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    target: ts.ScriptTarget.ES2022,
    lib: ["lib.es2022.d.ts", "lib.dom.d.ts"],
    types: [],
  };
  const host = ts.createCompilerHost(options);
  const textOf = (name: string) => programs[names.indexOf(name)];
  const { readFile, fileExists, getSourceFile } = host;
  host.readFile = (name) => textOf(name) ?? readFile(name);
  host.fileExists = (name) => names.includes(name) || fileExists(name);
  host.getSourceFile = (name, ...rest) => {
    const text = textOf(name);
    return text === undefined
      ? getSourceFile(name, ...rest)
      : ts.createSourceFile(name, text, ts.ScriptTarget.ES2022, true);
  };
  const program = ts.createProgram(names, options, host);
  const problems = ts
    .getPreEmitDiagnostics(program)
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, "\n"));
  expect(problems).toEqual([]);
  const syntax = all.map((text) => ts.transpileModule(text, { reportDiagnostics: true }));
  expect(syntax.flatMap(({ diagnostics = [] }) => diagnostics)).toEqual([]);
});

test("The page lists the types behind Node, the exposed headers and codes that exist.", () => {
  const node = schema.getType("Node");
  const types = isInterfaceType(node) ? schema.getPossibleTypes(node).map(({ name }) => name) : [];
  const [, listed = ""] = /const Node = \[(.*)\];/.exec(PAGE) ?? [];
  expect(listed.split(", ").map((name) => name.slice(1, -1))).toEqual(types.sort());
  const [, readable = ""] = /^\| readable headers \| (.*) \|$/m.exec(PAGE) ?? [];
  expect(readable.replaceAll("`", "").split(", ")).toEqual(EXPOSED_HEADERS);
  const codes = [...PAGE.matchAll(/^\| (`[A-Z_]+`(?:, `[A-Z_]+`)*) \|/gm)].flatMap(
    ([, cell = ""]) => cell.replaceAll("`", "").split(", "),
  );
  expect(codes.length).toBeGreaterThan(7);
  expect(codes.filter((code) => !(ERROR_CODES as readonly string[]).includes(code))).toEqual([]);
});

test("The origins of the page are taken by ALLOWED_ORIGINS as they stand.", () => {
  const origins = [...PAGE.matchAll(/`ALLOWED_ORIGINS=(\S+)`/g)].map(([, origin = ""]) => origin);
  expect(origins.length).toBeGreaterThan(2);
  for (const ALLOWED_ORIGINS of origins)
    expect(() => readConfig({ ALLOWED_ORIGINS }, [])).not.toThrow();
});
