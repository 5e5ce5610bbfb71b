/** Every name that a file of the bench imports from another is exported there. */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import ts from "typescript";
import { expect, test } from "vitest";
import { ROOT } from "../support/node-process.js";

const FILES = readdirSync(join(ROOT, "bench"), { recursive: true, encoding: "utf8" }).filter(
  (file) => file.endsWith(".mjs") && !file.includes("node_modules"),
);

const read = (file: string): ts.SourceFile =>
  ts.createSourceFile(file, readFileSync(join(ROOT, "bench", file), "utf8"), 99, true);

const EXPORT = /^export (?:(?:async )?(?:function|const|class) (\w+)|\{([^}]*)\})/gm;

const exportsOf = (file: string): Set<string> =>
  new Set(
    [...read(file).text.matchAll(EXPORT)].flatMap(([, declared, listed = ""]) =>
      declared ? [declared] : listed.split(",").map((name) => name.trim()),
    ),
  );

/** What a file imports from files of the bench, as `file: name`. */
function importsOf(file: string): [target: string, name: string][] {
  return read(file).statements.flatMap((statement): [string, string][] => {
    if (!ts.isImportDeclaration(statement)) return [];
    const { text } = statement.moduleSpecifier as ts.StringLiteral;
    const named = statement.importClause?.namedBindings;
    if (!text.startsWith(".") || !named || !ts.isNamedImports(named)) return [];
    const target = join(dirname(file), text);
    return named.elements.map(({ propertyName, name }) => [target, (propertyName ?? name).text]);
  });
}

test("The bench imports no name that its file does not export.", () => {
  const imports = FILES.flatMap((file) => importsOf(file).map((one) => [file, ...one] as const));
  expect(imports.length).toBeGreaterThan(50);
  const missing = imports
    .filter(([, target]) => FILES.includes(target))
    .filter(([, target, name]) => !exportsOf(target).has(name));
  expect(missing).toEqual([]);
});

test("No file of the bench is left that nothing reaches.", () => {
  const text = FILES.map((file) => readFileSync(join(ROOT, "bench", file), "utf8")).join("\n");
  const unreached = FILES.filter((file) => {
    const name = file.split("/").at(-1) as string;
    return (
      file !== "run.mjs" &&
      !file.startsWith("peers/") &&
      !text.includes(`/${name}"`) &&
      !text.includes(`"${name}"`)
    );
  });
  expect(unreached).toEqual([]);
});
