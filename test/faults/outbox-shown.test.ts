/** A row that was set aside, as an operator meets it: in the readiness probe and in the metrics of a running application. */
import { expect, it, onTestFinished } from "vitest";
import { startApp } from "../support/app.js";
import { until } from "../support/until.js";
import { plant } from "./outbox-kit.js";

it("A row that was set aside makes a process degraded, not unavailable, and is counted in its metrics.", async () => {
  const app = await startApp({ products: 0, env: { OUTBOX_ATTEMPTS_MAX: "2", OUTBOX_POLL_MS: "10" } });
  onTestFinished(() => app.close());
  const get = (path: string) => fetch(new URL(path, app.url));
  const outboxOf = async () => ((await (await get("/readyz")).json()) as { checks: { outbox: string } }).checks.outbox;
  await until("the outbox to be ok", async () => (await outboxOf()) === "ok");
  await plant(app.database.database, { revocations: [{ kind: "device", userId: 1 }] });
  await until("the row to be shown", async () => (await outboxOf()).includes("1 rows are set aside"));
  const probe = await get("/readyz");
  expect([probe.status, await probe.json()]).toMatchObject([200, { status: "degraded", missing: expect.arrayContaining(["outbox"]) }]);
  const metrics = await (await get("/metrics")).text();
  expect(metrics).toContain('souk_outbox_rows{state="set_aside"} 1');
  expect(metrics).toMatch(/^souk_outbox_oldest_seconds \d/m);
});
