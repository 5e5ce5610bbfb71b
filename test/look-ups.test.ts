/**
 * Names that come from outside are never looked up in plain objects, which also have the members of
 * `Object.prototype`. By type: a key that may be any string is used by `own(record, name)` or a Map
 * alone.
 */
import { join } from "node:path";
import ts from "typescript";
import { describe, expect, it } from "vitest";
import { ROOT } from "./support/node-process.js";

/** The one place that looks up; and records without a prototype, which are not ours. */
const ALLOWED: Readonly<Record<string, string>> = {
  "src/domain/own.ts": "asks Object.hasOwn first",
  "src/server/operation/answer-size.ts": "walks the keys that an answer has",
  "src/telemetry/log-bounds.ts": "makes records without a prototype",
  "src/server/websocket/cancellation.ts":
    "graphql-ws makes its record of operations without a prototype",
};

/** Every look-up of an open key in the files of a program, as `file: text`. */
function lookUpsIn(
  program: ts.Program,
  isOurs: (file: string) => boolean,
): { readonly file: string; readonly text: string }[] {
  const checker = program.getTypeChecker();
  const isOpen = (type: ts.Type): boolean => {
    const known = checker.getBaseConstraintOfType(type) ?? type;
    if (known.isUnion()) return known.types.some(isOpen);
    return (
      (known.flags &
        (ts.TypeFlags.String |
          ts.TypeFlags.TemplateLiteral |
          ts.TypeFlags.Any |
          ts.TypeFlags.Unknown)) !==
      0
    );
  };
  const keyOf = (node: ts.Node): ts.Expression | null => {
    if (ts.isElementAccessExpression(node)) return node.argumentExpression;
    const isIn = ts.isBinaryExpression(node) && node.operatorToken.kind === ts.SyntaxKind.InKeyword;
    return isIn && !ts.isPrivateIdentifier(node.left) ? node.left : null;
  };
  const found: { file: string; text: string }[] = [];
  for (const source of program.getSourceFiles()) {
    if (source.isDeclarationFile || !isOurs(source.fileName)) continue;
    const visit = (node: ts.Node): void => {
      const key = keyOf(node);
      if (key && isOpen(checker.getTypeAtLocation(key)))
        found.push({ file: source.fileName, text: node.getText(source) });
      ts.forEachChild(node, visit);
    };
    visit(source);
  }
  return found;
}

describe("a look-up by a name from outside", () => {
  it("The source looks outside names up only where it is safe.", () => {
    const { config } = ts.readConfigFile(join(ROOT, "tsconfig.json"), ts.sys.readFile);
    const { fileNames, options } = ts.parseJsonConfigFileContent(config, ts.sys, ROOT);
    const src = join(ROOT, "src/");
    const isOurs = (file: string) => file.startsWith(src);
    const found = lookUpsIn(ts.createProgram(fileNames.filter(isOurs), options), isOurs);
    const named = found.map(({ file, text }) => ({
      file: file.slice(ROOT.length).replace(/^\//, ""),
      text,
    }));
    expect(named.filter(({ file }) => !Object.hasOwn(ALLOWED, file))).toEqual([]);
    expect([...new Set(named.map(({ file }) => file))].sort()).toEqual(Object.keys(ALLOWED).sort());
  }, 120_000);

  const SAMPLES: readonly (readonly [string, string, number])[] = [
    ["a record", "record[key]", 1],
    ["a record that may be absent", "maybe?.[key]", 1],
    ["a write", "record[key] = 1", 1],
    ["a template", `record[\`x-$${"{key}"}\`]`, 1],
    ["the in operator", "key in record", 1],
    [
      "a generic key",
      "function f<K extends string>(k: K) { return (record as Record<K, number>)[k]; }",
      1,
    ],
    ["a word of a closed list", "record[word]", 0],
    ["a list by number", "list[at]", 0],
    ["a literal", 'record["a"]', 0],
  ];

  it("A look-up by an outside name is found by the type of its key.", () => {
    const declared = `export {}; declare const record: Record<string, number>,
      maybe: Record<string, number> | undefined, key: string,
      at: number, word: "a" | "b", list: number[];`;
    const files = new Map(
      SAMPLES.map(([, text], at) => [`sample-${at}.ts`, `${declared} ${text};`]),
    );
    const host = ts.createCompilerHost({ strict: true });
    const { getSourceFile } = host;
    host.getSourceFile = (file, ...rest) => {
      const text = files.get(file);
      return text === undefined
        ? getSourceFile.call(host, file, ...rest)
        : ts.createSourceFile(file, text, ts.ScriptTarget.ES2022);
    };
    const found = lookUpsIn(ts.createProgram([...files.keys()], { strict: true }, host), (file) =>
      files.has(file),
    );
    const counted = SAMPLES.map(([what], at) => [
      what,
      found.filter(({ file }) => file === `sample-${at}.ts`).length,
    ]);
    expect(counted).toEqual(SAMPLES.map(([what, , count]) => [what, count]));
  });
});
