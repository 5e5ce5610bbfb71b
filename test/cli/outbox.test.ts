/** `npm run outbox`, as an operator runs it: what could not be sent is shown, sent again, or dropped. */
import { beforeAll, expect, it, onTestFinished } from "vitest";
import { changed, openOutbox, plant } from "../faults/outbox-kit.js";
import { ensureBuilt } from "../support/node-process.js";
import { testDatabase } from "../support/postgres.js";
import { run } from "./run-command.js";

beforeAll(ensureBuilt);

it("A row that was set aside is listed with its error, sent again, and dropped by its id alone.", async () => {
  const database = await testDatabase();
  onTestFinished(() => database.close());
  const { outbox, outside, operating } = await openOutbox({ attemptsMax: 1, database });
  outside.failing.set("productChanged:7", new Error("no such luck"));
  const outboxCommand = (...args: string[]) => run("outbox", args, { DATABASE_URL: database.url });
  expect(await outboxCommand("list")).toMatchObject({ stderr: "", code: 0, stdout: expect.stringContaining("0 rows wait") });
  const id = await plant(database.database, { tags: ["kept"], events: [changed(7)] });
  expect((await outboxCommand("drop", String(id))).stdout).toContain("is not set aside");
  await outbox.sendWaiting();
  const { code, stdout } = await outboxCommand("list");
  expect([code, stdout]).toEqual([0, expect.stringContaining("1 are set aside")]);
  for (const word of [`row ${id}: set aside`, "1 attempts", "tags (1), events (1)", "productChanged:7", "no such luck"])
    expect(stdout).toContain(word);
  expect((await outboxCommand("retry", "--all")).stdout).toContain("1 row will be sent again");
  const some = await outboxCommand("retry", String(id), "99999");
  expect([some.code, some.stdout]).toEqual([1, expect.stringContaining("There is no row 99999: it was sent or dropped.")]);
  expect(await operating.state()).toMatchObject({ waiting: 1, setAside: 0 });
  await outbox.sendWaiting();
  const dropped = await outboxCommand("drop", String(id));
  expect([dropped.code, dropped.stdout]).toEqual([0, expect.stringContaining("Lost with it: cached values stay old")]);
  expect(await operating.state()).toMatchObject({ waiting: 0, setAside: 0 });
});

it.each([[[]], [["retry"]], [["retry", "--all", "5"]], [["drop"]], [["drop", "1", "2"]], [["drop", "--all"]], [["list", "x"]]])(
  "Arguments %j are answered with the usage.",
  async (args) => {
    const ended = await run("outbox", args, {});
    expect([ended.code, ended.stderr]).toEqual([1, expect.stringContaining("Usage: npm run outbox")]);
  },
);
