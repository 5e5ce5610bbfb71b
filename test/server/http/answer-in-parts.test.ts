/** Queries that are answered in parts, over a schema whose fields the test steers. */
import { buildSchema } from "graphql";
import { expect, it, onTestFinished, vi } from "vitest";
import type { AnswerVerdict } from "../../../src/domain/reading/answer-tags.js";
import { startServer, type TestServer } from "../test-server.js";

type Resolvers = Readonly<Record<string, (context: object) => unknown>>;

/** Fields of `Query`, all of them texts; those whose names begin with `pub` may be stored. */
interface Started {
  readonly resolvers: Resolvers;
  readonly env?: Record<string, string>;
  /** Of the answer that was stored as such a one, from 0. */
  readonly judge?: (stored: number) => AnswerVerdict;
}

async function start({
  resolvers,
  env = {},
  judge = () => "current",
}: Started): Promise<TestServer> {
  const fields = Object.keys(resolvers);
  const schema = buildSchema(`type Query { ${fields.map((name) => `${name}: String`).join(" ")} }`);
  for (const [name, field] of Object.entries(schema.getQueryType()!.getFields())) {
    field.resolve = (_source, _args, context: object) => resolvers[name]!(context);
    if (name.startsWith("pub")) field.extensions = { scope: "PUBLIC", cached: true };
  }
  let stored = 0;
  const finish = () => {
    const number = stored++;
    const verdict = () => judge(number);
    return { count: 1, judge: verdict, confirm: async () => verdict(), release() {} };
  };
  const souk = await startServer(
    { CACHE_REPORT: "request", ...env },
    {
      schema,
      traceAnswer: () => ({ accept() {}, refuse() {}, finish }),
    },
  );
  onTestFinished(() => souk.close());
  return souk;
}

/** As often as splits a query, stores its parts, and compiles the rest. */
const TIMES = 12;

it("A part is stored once, and the rest is executed each time, in the order of the query.", async () => {
  const runs = { pub: 0, mine: 0 };
  const souk = await start({
    resolvers: {
      pub() {
        runs.pub += 1;
        return "p";
      },
      mine() {
        runs.mine += 1;
        return `m${runs.mine}`;
      },
      pubToo: () => "ü\u2028",
    },
  });
  for (let times = 1; times <= TIMES; times += 1) {
    const { text } = await souk.post({ query: "{ mine other: pub pubToo last: mine }" });
    const { data } = JSON.parse(text);
    expect(Object.keys(data)).toEqual(["mine", "other", "pubToo", "last"]);
    expect(data).toMatchObject({ mine: `m${2 * times - 1}`, pubToo: "ü\u2028" });
  }
  expect(runs.pub).toBeLessThan(TIMES / 2);
});

it.each(["off", "on"])(
  "Errors are those of the whole query, and nothing runs twice for them; compiled: %s.",
  async (COMPILE_QUERIES) => {
    const answersOf = async (storedBytes: string) => {
      let runs = 0;
      const souk = await start({
        env: { COMPILE_QUERIES, STORED_ANSWERS_BYTES: storedBytes },
        resolvers: {
          pub: () => "p",
          mine() {
            runs += 1;
            return "m";
          },
          bad: () => {
            throw new Error("inside");
          },
          pubBad: () => {
            throw new Error("inside");
          },
        },
      });
      const query = "query Q {\n  pub\n  mine\n  bad\n  again: pubBad\n}";
      const told: unknown[] = [];
      let mostRuns = 0;
      for (let times = 0; times < TIMES; times += 1) {
        runs = 0;
        const { status, text } = await souk.post({ query });
        const body = JSON.parse(text.replaceAll(/,"requestId":"[^"]*"/g, ""));
        const byPath = (a: { path: string[] }, b: { path: string[] }) =>
          a.path.join() < b.path.join() ? -1 : 1;
        told.push({ status, ...body, errors: body.errors.sort(byPath) });
        mostRuns = Math.max(mostRuns, runs);
      }
      return { told, mostRuns };
    };
    expect(await answersOf("1000000")).toEqual(await answersOf("0"));
  },
);

it("An answer that is too large is refused in parts as well.", async () => {
  const souk = await start({
    env: { ANSWER_MAX_BYTES: String(128 * 1024) },
    resolvers: {
      pub: () => "x".repeat(40_000),
      pubToo: () => "y".repeat(40_000),
      mine: () => "m",
    },
  });
  const told = new Set<string>();
  for (let times = 0; times < TIMES; times += 1) {
    const { body } = await souk.post({ query: "{ pub pubToo mine }" });
    told.add(`${body.data} ${body.errors?.[0]?.extensions.code}`);
  }
  expect([...told]).toEqual(["null PAYLOAD_TOO_LARGE"]);
});

/** Reads a value once in each context, as loaders do. */
function readOnce(value: () => string): (context: object) => string {
  const memory = new WeakMap<object, string>();
  return (context) => {
    const known = memory.get(context) ?? value();
    memory.set(context, known);
    return known;
  };
}

/** A resolver that can be held up. */
function gate() {
  const asked = vi.fn();
  let held = Promise.resolve();
  let release = () => {};
  return {
    async pass(): Promise<void> {
      asked();
      await held;
    },
    hold(): void {
      asked.mockClear();
      held = new Promise((resolve) => {
        release = resolve;
      });
    },
    open: () => release(),
    reached: () => vi.waitFor(() => expect(asked).toHaveBeenCalled(), { timeout: 10_000 }),
  };
}

it.each([
  ["is stored", TIMES],
  ["is being stored", 3],
])("A part that %s and ends while the rest is executed is read again.", async (_, times) => {
  let value = "old";
  let verdict: AnswerVerdict = "current";
  const read = readOnce(() => value);
  const mine = gate();
  const souk = await start({
    judge: () => verdict,
    resolvers: { pub: read, mine: (context) => mine.pass().then(() => read(context)) },
  });
  const query = "{ pub mine }";
  for (let asked = 0; asked < times; asked += 1) await souk.post({ query });
  mine.hold();
  const answer = souk.post({ query });
  await mine.reached();
  value = "new";
  verdict = "outdated";
  mine.open();
  expect((await answer).body.data).toEqual({ pub: "new", mine: "new" });
});

it("A part that ends while another one is read again is read again too.", async () => {
  let value = "old";
  const verdicts: AnswerVerdict[] = ["current", "current"];
  const read = readOnce(() => value);
  const [other, mine] = [gate(), gate()];
  const souk = await start({
    judge: (stored) => verdicts[stored] ?? "current",
    resolvers: {
      pub: read,
      pubToo: (context) => other.pass().then(() => read(context)),
      mine: () => mine.pass().then(() => "m"),
    },
  });
  const query = "{ pub pubToo mine }";
  for (let asked = 0; asked < TIMES; asked += 1) await souk.post({ query });
  other.hold();
  mine.hold();
  const answer = souk.post({ query });
  await mine.reached();
  verdicts[1] = "outdated";
  mine.open();
  await other.reached();
  value = "new";
  verdicts[0] = "outdated";
  other.open();
  expect((await answer).body.data).toEqual({ pub: "new", pubToo: "new", mine: "m" });
});

it("A query is answered while another request still stores its part.", async () => {
  let release = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  let isHeld = false;
  const souk = await start({
    resolvers: {
      async pub() {
        if (isHeld) await held;
        return "p";
      },
      mine: () => "m",
    },
  });
  const query = "{ mine pub }";
  for (let times = 0; times < 3; times += 1) await souk.post({ query });
  isHeld = true;
  // This one stores the part; the next ones execute it themselves.
  const first = souk.post({ query });
  isHeld = false;
  expect((await souk.post({ query })).body.data).toEqual({ mine: "m", pub: "p" });
  release();
  expect((await first).body.data).toEqual({ mine: "m", pub: "p" });
});
