/**
 * Threads under test: node starts their files without Vite, so the TypeScript is compiled here.
 * Such a file imports packages and types alone.
 */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import ts from "typescript";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
/** Below the root: the packages are found from there. */
const COMPILED = join(ROOT, ".cache", "test-threads");
const THREAD = /new URL\("(\.\/[\w-]+-worker)\.js", import\.meta\.url\)/g;

/** A plugin of Vite that gives each `new URL("./…-worker.js", import.meta.url)` its file. */
export const workerFiles = {
  name: "souk-worker-files",
  enforce: "pre" as const,
  transform(code: string, id: string) {
    if (!code.includes("-worker.js")) return null;
    const place = dirname(id);
    return code.replace(THREAD, (_, name) => `new URL("${compiled(join(place, `${name}.ts`))}")`);
  },
};

/** The URL of the compiled file. Its name holds the hash of its text, so it is never stale. */
function compiled(path: string): string {
  const { outputText } = ts.transpileModule(readFileSync(path, "utf8"), {
    fileName: path,
    compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext },
  });
  const file = join(COMPILED, `${createHash("sha256").update(outputText).digest("hex")}.mjs`);
  if (!existsSync(file)) {
    mkdirSync(COMPILED, { recursive: true });
    const draft = `${file}.${process.pid}`;
    writeFileSync(draft, outputText);
    renameSync(draft, file);
  }
  return pathToFileURL(file).href;
}
