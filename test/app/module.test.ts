/**
 * A new subject is its own files and one line: the guestbook of this folder joins the application
 * and is used over HTTP and WebSocket. Nothing in `src` knows it.
 */
import { createClient } from "graphql-ws";
import { afterAll, beforeAll, expect, test } from "vitest";
import WebSocket from "ws";
import { defineSubject, type OpenOptions, serveAll } from "../../src/app/module.js";
import { configPartsOf, SUBJECTS } from "../../src/app/subjects.js";
import { readConfig } from "../../src/config/config.js";
import { type RunningApp, startApp } from "../support/app.js";
import { metric, post } from "../support/graphql.js";
import { until } from "../support/until.js";
import { guestbook } from "./guestbook/subject.js";

let app: RunningApp;
beforeAll(async () => {
  app = await startApp({
    products: 0,
    subjects: [...SUBJECTS, guestbook],
    env: { GUESTBOOK_MAX: "2" },
  });
});
afterAll(() => app.close());

const read = async () =>
  (await post(app.url, "{ guestbook { signatures latest } }")).data?.guestbook;
const sign = (signature: string) =>
  post(app.url, "mutation ($s: String!) { signGuestbook(signature: $s) { signatures latest } }", {
    s: signature,
  });

test("Its field, mutation and subscription are used over HTTP and WebSocket.", async () => {
  expect(await read()).toEqual({ signatures: 0, latest: null });
  const client = createClient({ url: app.wsUrl, webSocketImpl: WebSocket, retryAttempts: 0 });
  const events = client.iterate<{ guestbookChanged: unknown }>({
    query: "subscription { guestbookChanged { signatures latest } }",
  });
  const next = async () => (await events.next()).value?.data?.guestbookChanged;
  expect(await next()).toEqual({ signatures: 0, latest: null });
  expect((await sign("Ada")).data).toEqual({ signGuestbook: { signatures: 1, latest: "Ada" } });
  expect(await next()).toEqual({ signatures: 1, latest: "Ada" });
  await events.return?.();
  await client.dispose();
  expect(await read()).toEqual({ signatures: 1, latest: "Ada" });
});

test("Its job runs, and its outbox rows are gone once they are sent.", async () => {
  await until("a run of the job", async () => {
    const label = 'job="trimming the guestbook"';
    return (await metric(app.url, "souk_job_last_success_seconds", label)) < 1;
  });
  await until("an empty outbox", async () => (await metric(app.url, "souk_outbox_rows")) === 0);
});

test("Its variable is read, and its gauge and check are shown.", async () => {
  for (const name of ["Bo", "Cyd", "Dee"]) await sign(name);
  await expect.poll(read, { timeout: 30_000 }).toEqual({ signatures: 2, latest: "Dee" });
  await until(
    "the gauge to follow",
    async () => (await metric(app.url, "souk_guestbook_signatures")) === 2,
  );
  const ready = await fetch(new URL("/readyz", app.url));
  expect(await ready.json()).toMatchObject({ checks: { guestbook: "ok" } });
});

test("A bad variable of its own stops the start with its name.", () => {
  expect(() => readConfig({ GUESTBOOK_MAX: "-1" }, configPartsOf([guestbook]))).toThrow(
    'GUESTBOOK_MAX="-1": is out of bounds',
  );
});

test("A subject that uses a later one fails with the name of that one.", async () => {
  const early = defineSubject({
    name: "early",
    resolvers: [],
    open: () => ({ serve: (use) => ({ services: use(guestbook), resolvers: [] }) }),
  });
  const opened = [{ subject: early, module: early.open({} as OpenOptions) }];
  await expect(serveAll(opened)).rejects.toThrow("The subject guestbook is not served yet.");
});
