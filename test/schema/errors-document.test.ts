import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { ERROR_CODES, USER_ERROR_CODES } from "../../src/domain/errors.js";
import { STATUS_OF_CODE } from "../../src/server/operation/format-error.js";

const document = readFileSync(new URL("../../docs/errors.md", import.meta.url), "utf8");

/**
 * The rows of the table under a heading, each as its cells; a cell keeps its words, without the
 * back-ticks of a code.
 */
function rowsUnder(heading: string): string[][] {
  const section = document.split(/^## /m).find((part) => part.startsWith(heading)) ?? "";
  const rows = section.split("\n").filter((line) => line.startsWith("| `"));
  return rows.map((row) =>
    row
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim().replace(/^`([A-Z_]+)`$/, "$1")),
  );
}

describe("docs/errors.md", () => {
  it("The page of errors explains every GraphQL code, in order, and no other.", () => {
    expect(rowsUnder("GraphQL errors").map(([code]) => code)).toEqual([...ERROR_CODES]);
  });

  it("The page of errors gives each code its HTTP status.", () => {
    const documented = rowsUnder("GraphQL errors").map(([code, status]) => [code, Number(status)]);
    expect(Object.fromEntries(documented)).toEqual(STATUS_OF_CODE);
  });

  it("The page of errors explains every UserError code, in order, and no other.", () => {
    expect(rowsUnder("Expected failures").map(([code]) => code)).toEqual([...USER_ERROR_CODES]);
  });

  it("The page of errors gives each code's cause, remedy and retry.", () => {
    const rows = [
      ...rowsUnder("GraphQL errors").map(([code, , ...rest]) => [code, ...rest]),
      ...rowsUnder("Expected failures"),
    ];
    const incomplete = rows.filter(
      ([, when, what, retry]) => !when || !what || !["yes", "no", "reads"].includes(retry ?? ""),
    );
    expect(incomplete.map(([code]) => code)).toEqual([]);
  });
});
