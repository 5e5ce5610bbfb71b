/**
 * How the scripts talk: one line for each thing that was done, with the time it took; a message
 * that ends the run; one question on a terminal. All of it goes to standard error.
 */
import { createInterface } from "node:readline/promises";

const seconds = (from) => `${((performance.now() - from) / 1000).toFixed(1)} s`;

/** A person is there to be asked. CI may lend a terminal without a person. */
export const onTerminal = () =>
  Boolean(process.stdin.isTTY && process.stderr.isTTY && !process.env.CI);

export const say = (text) => console.error(`setup: ${text}`);

/**
 * Does something and says so: on a terminal what begins and then how long it took, elsewhere one
 * line at the end. Work that throws ends the line without a time.
 */
export async function step(what, work) {
  const from = performance.now();
  const live = process.stderr.isTTY;
  if (live) process.stderr.write(`setup: ${what} … `);
  try {
    const answer = await work();
    process.stderr.write(live ? `${seconds(from)}\n` : `setup: ${what} (${seconds(from)})\n`);
    return answer;
  } catch (error) {
    if (live) process.stderr.write("\n");
    throw error;
  }
}

/** Ends the run with a message for its reader. */
export function fail(message) {
  console.error(`\n${message}\n`);
  process.exit(1);
}

/** True for an answer that starts with y; an empty one is no. */
export async function ask(question) {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const closed = new Promise((resolve) => terminal.once("close", () => resolve("")));
  const answer = await Promise.race([terminal.question(`setup: ${question} [y/N] `), closed]);
  terminal.close();
  return /^y/i.test(answer.trim());
}

/** The last lines of what a program printed. */
export const lastLines = (text, count = 6) =>
  text
    .split("\n")
    .filter((line) => line.trim() !== "")
    .slice(-count)
    .join("\n");
