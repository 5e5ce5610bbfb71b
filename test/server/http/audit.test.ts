/** The GraphQL over HTTP specification, by the audits of graphql-http. */
import { auditServer } from "graphql-http";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startServer, type TestServer } from "../test-server.js";

/**
 * Apollo answers 400 to `application/json` clients where the audit would like 200 for errors of the
 * document.
 */
const TOLERATED_WARNINGS = 3;

let souk: TestServer;

beforeAll(async () => {
  souk = await startServer();
});
afterAll(() => souk.close());

test("The audit finds no error and at most three warnings.", async () => {
  const results = await auditServer({
    url: souk.graphql,
    // GET needs a header that a cross-site page cannot send; the audit's own requests carry it like
    // any client.
    fetchFn: (url: string, init: RequestInit = {}) =>
      fetch(url, {
        ...init,
        headers: {
          ...Object.fromEntries(new Headers(init.headers)),
          "apollo-require-preflight": "1",
        },
      }),
  });
  const named = (status: string) =>
    results.filter((result) => result.status === status).map(({ name }) => name);
  expect(results.length).toBeGreaterThan(55);
  expect(named("error")).toEqual([]);
  expect(named("warn").length, named("warn").join("\n")).toBeLessThanOrEqual(TOLERATED_WARNINGS);
});
