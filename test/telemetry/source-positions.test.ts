/** Stacks that are printed name lines of TypeScript; node is started without source maps. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ensureBuilt, ROOT, runModule } from "../support/node-process.js";

/** Lines that a script prints, run against the built tree. */
async function printed(code: string, lines = 1): Promise<string[]> {
  ensureBuilt();
  const script = runModule(code);
  const read: string[] = [];
  while (read.length < lines) read.push(await script.nextLine());
  return read;
}

const THROWS = 'import { cutText } from "./dist/domain/cut-text.js"; const fail = () => cutText();';

test("An error in the log points to the line of TypeScript that threw it.", async () => {
  const [line = ""] = await printed(`
    import { createLogger } from "./dist/telemetry/log.js";
    ${THROWS}
    try { fail(); } catch (cause) { createLogger({ level: "info" }).error(new Error("x", { cause })); }
  `);
  const source = readFileSync(join(ROOT, "src/domain/cut-text.ts"), "utf8").split("\n");
  const { stack } = (JSON.parse(line) as { err: { stack: string } }).err;
  const number = Number(/\/src\/domain\/cut-text\.ts:(\d+):\d+/.exec(stack)?.[1]);
  expect(source[number - 1]).toContain("text.length");
  expect(stack).not.toContain("dist/domain/cut-text.js");
});

test("A stack without a map in the built tree is printed as it is.", async () => {
  const [same] = await printed(`
    import { inSources } from "./dist/telemetry/source-positions.js";
    const built = new URL("./dist/", "file://" + process.cwd() + "/").href;
    const stack = ["nowhere.js:1:1", "../package.js:1:1", "", "main.js"]
      .map((where) => "\\n    at " + built + where).join("") + "\\n    at node:fs:1:1";
    console.log(inSources(stack) === stack);
  `);
  expect(same).toBe("true");
});

test("What is no error is printed as text.", async () => {
  const lines = await printed(
    `import { stackOf } from "./dist/telemetry/source-positions.js";
     console.log(stackOf("told")); console.log(stackOf(undefined));`,
    2,
  );
  expect(lines).toEqual(["told", "undefined"]);
});
