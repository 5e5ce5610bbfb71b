/**
 * A row that was set aside, and a broadcast, as an operator meets them: in the readiness probe and
 * in the metrics of a running application.
 */
import { sql } from "drizzle-orm";
import { expect, it, onTestFinished } from "vitest";
import { startApp } from "../support/app.js";
import { metric } from "../support/graphql.js";
import { until } from "../support/until.js";
import { plant } from "./outbox.fixture.js";

it("A row set aside makes a process degraded, not unavailable, and is in metrics.", async () => {
  const app = await startApp({
    products: 0,
    env: { OUTBOX_ATTEMPTS_MAX: "2", OUTBOX_POLL_MS: "10" },
  });
  onTestFinished(() => app.close());
  const get = (path: string) => fetch(new URL(path, app.url));
  const outboxOf = async () =>
    ((await (await get("/readyz")).json()) as { checks: { outbox: string } }).checks.outbox;
  await until("the outbox to be ok", async () => (await outboxOf()) === "ok");
  await plant(app.database.database, { revocations: [{ kind: "device", userId: 1 }] });
  await until("the row to be shown", async () =>
    (await outboxOf()).includes("1 rows are set aside"),
  );
  const probe = await get("/readyz");
  expect([probe.status, await probe.json()]).toMatchObject([
    200,
    { status: "degraded", missing: expect.arrayContaining(["outbox"]) },
  ]);
  const metrics = await (await get("/metrics")).text();
  expect(metrics).toContain('souk_outbox_rows{state="set_aside"} 1');
  expect(metrics).toMatch(/^souk_outbox_oldest_seconds \d/m);
});

it("Users who were given up make a process degraded, and are counted in its metrics.", async () => {
  const app = await startApp({ products: 0 });
  onTestFinished(() => app.close());
  const probe = async () =>
    (await (await fetch(new URL("/readyz", app.url))).json()) as { checks: { broadcasts: string } };
  expect((await probe()).checks.broadcasts).toBe("ok");
  const [content] = await app.database.database.query<{ id: number }>(
    sql`INSERT INTO notification_contents (kind, title, body) VALUES ('news', 'Sale', '')
      RETURNING id`,
  );
  await app.database.database.query(
    sql`INSERT INTO notification_broadcast_parts (content_id, last_user, set_aside_at)
      VALUES (${content?.id}, 7, now())`,
  );
  expect(await probe()).toMatchObject({
    status: "degraded",
    checks: { broadcasts: "1 parts are set aside: npm run outbox -- list" },
  });
  expect(await metric(app.url, "souk_broadcasts_set_aside")).toBe(1);
  expect(await metric(app.url, "souk_broadcasts_open")).toBe(0);
});
