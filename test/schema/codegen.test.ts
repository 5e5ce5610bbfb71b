import { readFileSync } from "node:fs";
import { join } from "node:path";
import { generate, loadContext } from "@graphql-codegen/cli";
import { describe, expect, it } from "vitest";
import { ROOT } from "../support/node-process.js";

const STOREFRONT = join(ROOT, "examples/storefront");

describe("the typed operations", () => {
  it.each([
    ["the operations", { cwd: ROOT, config: "codegen.yml", count: 3 }],
    ["the storefront", { cwd: STOREFRONT, config: "codegen.ts", count: 4 }],
  ])("Codegen makes the committed types of %s.", async (_, { cwd, config, count }) => {
    const context = await loadContext(join(cwd, config));
    context.cwd = cwd;
    context.updateConfig({ silent: true });
    const files = (await generate(context, false)) as { filename: string; content: string }[];
    const drifted = files
      .filter(({ filename, content }) => content !== readFileSync(join(cwd, filename), "utf8"))
      .map(({ filename }) => filename);
    expect(files.length).toBe(count);
    expect(
      drifted,
      "generated files are older than the operations or the schema: run `npm run codegen` " +
        "and commit what it writes.",
    ).toEqual([]);
  });
});
