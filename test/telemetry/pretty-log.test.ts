/** The log for people at a terminal. */
import { expect, test } from "vitest";
import { createLogger } from "../../src/telemetry/log.js";
import { prettyLog } from "../../src/telemetry/pretty-log.js";

/** A log, and what it writes. */
async function open() {
  const texts: string[] = [];
  const output = { write: (text: string) => void texts.push(text) };
  const log = createLogger({ level: "info", destination: await prettyLog(output) });
  return { log, text: () => texts.join("") };
}

test("A line shows time, level, message and what it is about.", async () => {
  const { log, text } = await open();
  log.warn({ products: 10_000 }, "filling the shop");
  expect(text()).toMatch(
    /^\[\d\d:\d\d:\d\d\.\d{3}\] WARN: filling the shop \{"products":10000\}\n$/,
  );
});

test("An error is shown with its stack and its cause.", async () => {
  const { log, text } = await open();
  log.error({ err: new Error("outer", { cause: new Error("inner") }) }, "it failed");
  expect(text()).toContain("Error: outer");
  expect(text()).toContain("inner");
  expect(text()).toContain("pretty-log.test");
});

test.each([
  ["an escape sequence", "\u001b[2J", "\\u001b[2J"],
  ["a backspace", "\b", "\\b"],
  ["a carriage return", "\r", "\\r"],
  ["the direction of writing", "\u202e", "\\u202e"],
  ["C1", "\u009b2J", "\\u009b2J"],
  ["DEL", "\u007f", "\\u007f"],
  ["a backslash before an escape", "\\\u001b", "\\u001b"],
  ["an escape that is text already", "\\u001b", "u001b"],
])("No text can steer the terminal by %s.", async (_what, hostile, shown) => {
  const { log, text } = await open();
  log.info({ name: hostile, err: new Error(hostile) }, hostile);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these must not be there
  expect(text().replaceAll("\n", "")).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/);
  expect(text()).toContain(shown);
});

test("A text with lines is one line.", async () => {
  const { log, text } = await open();
  log.info("first\nforged");
  expect(text()).toContain("INFO: first\\nforged\n");
});
