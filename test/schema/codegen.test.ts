import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { generate, loadContext } from "@graphql-codegen/cli";
import { describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));

describe("the typed operations", () => {
  it("Codegen makes the committed types of the operations.", async () => {
    const context = await loadContext(`${root}codegen.yml`);
    context.cwd = root;
    context.updateConfig({ silent: true });
    const files = (await generate(context, false)) as { filename: string; content: string }[];
    const drifted = files
      .filter(({ filename, content }) => content !== readFileSync(`${root}${filename}`, "utf8"))
      .map(({ filename }) => filename);
    expect(files.length).toBe(3);
    expect(
      drifted,
      "generated files are older than the operations or the schema: run `npm run codegen` " +
        "and commit what it writes.",
    ).toEqual([]);
  });
});
