import { describe, expect, test } from "vitest";
import { readConfig } from "../../src/config/config.js";
import { StartupError } from "../../src/domain/errors.js";

const originsOf = (ALLOWED_ORIGINS: string) =>
  readConfig({ NODE_ENV: "production", ALLOWED_ORIGINS }, []).http.origins.listed;

/** The lines about ALLOWED_ORIGINS of a configuration that is refused. */
function faultsOf(ALLOWED_ORIGINS: string): string[] {
  try {
    originsOf(ALLOWED_ORIGINS);
  } catch (error) {
    if (error instanceof StartupError)
      return [...error.message.matchAll(/^ {2}ALLOWED_ORIGINS: (.*)$/gm)].map(
        ([, line]) => `${line}`,
      );
    throw error;
  }
  return [];
}

describe("ALLOWED_ORIGINS", () => {
  test.each([
    "https://shop.example",
    "http://shop.example:8080",
    "http://localhost:3000",
    "http://[::1]:3000",
    "http://192.0.2.7",
    "https://xn--bcher-kva.example",
    "https://my_shop.example",
    "http://devbox",
  ])("ALLOWED_ORIGINS takes an origin as browsers spell it: %s", (origin) => {
    expect(originsOf(origin)).toEqual([origin]);
  });

  test("ALLOWED_ORIGINS takes several, separated by commas or blanks.", () => {
    expect(originsOf(" https://a.example,https://b.example https://c.example, ")).toEqual([
      "https://a.example",
      "https://b.example",
      "https://c.example",
    ]);
  });

  test.each([
    ["localhost:3000", "http://localhost:3000"],
    ["127.0.0.1:3000", "http://127.0.0.1:3000"],
    ["[::1]:3000", "http://[::1]:3000"],
    ["LOCALHOST", "http://localhost"],
    ["shop.example", "https://shop.example"],
    ["//shop.example", "https://shop.example"],
    ["https://shop.example/", "https://shop.example"],
    ["https://shop.example/app?a=1#b", "https://shop.example"],
    ["https://shop.example?", "https://shop.example"],
    ["https://Shop.Example", "https://shop.example"],
    ["HTTPS://shop.example", "https://shop.example"],
    ["https://shop.example:443", "https://shop.example"],
    ["http://shop.example:80", "http://shop.example"],
    ["https://shop.example:0443", "https://shop.example"],
    ["https://shop.example.", "https://shop.example"],
    ["https://bücher.example", "https://xn--bcher-kva.example"],
    ["https://shop%2eexample", "https://shop.example"],
    ["http://127.1:3000", "http://127.0.0.1:3000"],
    ["http://[0:0:0:0:0:0:0:1]", "http://[::1]"],
    ["https:shop.example", "https://shop.example"],
    ["wss://shop.example", "https://shop.example"],
    ["ws://localhost:4000/graphql", "http://localhost:4000"],
  ])("Another spelling stops the start, and is corrected: %s", (written, corrected) => {
    expect(faultsOf(written)).toEqual([
      `${JSON.stringify(written)} is not as browsers spell it: write ${corrected}`,
    ]);
    expect(originsOf(corrected)).toEqual([corrected]);
  });

  test.each([
    ["null", "stands for any page without an origin"],
    ["*", "has a wildcard"],
    ["https://*.shop.example", "has a wildcard"],
    ["*.shop.example", "has a wildcard"],
    ["https://shop.example:*", "has a wildcard"],
    ["file:///shop", "is not an origin"],
    ["capacitor://localhost", "is not an origin"],
    ["data:text/html", "is not an origin"],
    ["https://", "is not an origin"],
    ["https://shop.example:99999", "is not an origin"],
    ["https://a.example;https://b.example", "is not an origin"],
    ["'https://shop.example'", "is not an origin"],
    ["https://shop..example", "is not an origin"],
    ["https://.", "is not an origin"],
  ])("What means no single origin stops the start without a guess: %s", (written, fault) => {
    const [line = "", ...others] = faultsOf(written);
    expect(others).toEqual([]);
    expect(line).toContain(`${JSON.stringify(written)} ${fault}`);
    expect(line).not.toContain("write");
  });

  test("All bad origins are named at once, beside other bad variables.", () => {
    const list = "localhost:3000,https://good.example,null,https://shop.example/";
    expect(faultsOf(list).map((line) => line.split(" ")[0])).toEqual([
      '"localhost:3000"',
      '"null"',
      '"https://shop.example/"',
    ]);
    expect(() => readConfig({ ALLOWED_ORIGINS: list, PORT: "lots" }, [])).toThrow(
      /ALLOWED_ORIGINS[\s\S]*PORT|PORT[\s\S]*ALLOWED_ORIGINS/,
    );
  });

  test.each([
    "https://ada:hunter2@shop.example",
    "ada:hunter2@shop.example",
    "https:/ada:hunter2@shop.example",
    "https://hunter2@shop.example",
    "https://us/er:hunter2@shop.example",
    "ftp://ada:hunter2@shop.example",
  ])("A login in an origin stops the start and is never printed.", (written) => {
    const faults = faultsOf(written);
    expect(faults).toHaveLength(1);
    expect(faults[0]).not.toMatch(/hunter2|ada/);
  });
});
