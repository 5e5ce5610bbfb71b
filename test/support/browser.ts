/** A real Chromium, where the machine has one. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";
import { findBrowser } from "../../scripts/find.mjs";
import { ROOT } from "./node-process.js";

const executablePath = findBrowser();

/** Whether tests of pages can run; `npm test` says so at its end where they cannot. */
export const hasBrowser = executablePath !== null;

const ARGUMENTS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

export const launchBrowser = (): Promise<Browser> =>
  chromium.launch({ ...(executablePath && { executablePath }), args: ARGUMENTS });

/** Notes what a page must never do: throw, or break its own policy. */
export function watchProblems(page: Page): string[] {
  const problems: string[] = [];
  page.on("pageerror", (error) => problems.push(String(error)));
  page.on("console", (message) => {
    if (/Content Security Policy/.test(message.text())) problems.push(message.text());
  });
  return problems;
}

/** An empty page on a free port of loopback, under each of its names. */
export async function servePage(): Promise<{ port: number; close(): void }> {
  const server = createServer((_request, response) => {
    response.setHeader("content-type", "text/html").end("<!doctype html><title>Shop</title>");
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** Writes `docs/<name>.png` where TEST_PICTURES is set: the pictures of the documents. */
export async function keepPicture(page: Page, name: string): Promise<void> {
  if (!process.env.TEST_PICTURES) return;
  await page.screenshot({ path: join(ROOT, "docs", `${name}.png`) });
}
