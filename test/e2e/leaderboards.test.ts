/** Leaderboards as clients meet them: made, fed, read, refused. */
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type SignedIn, signUp } from "../support/accounts.js";
import { type RunningApp, startApp } from "../support/app.js";
import { type Data, post } from "../support/graphql.js";
import { until } from "../support/until.js";

const CREATE = `mutation Create($input: LeaderboardInput!) {
  createLeaderboard(input: $input) {
    leaderboard { id slug title operator order tieRule periods timeZone }
    errors { code field }
  }
}`;
const SUBMIT = `mutation Submit($input: ScoreInput!) {
  submitScore(input: $input) {
    changes { period rank previousRank score }
    replayed
    errors { code field }
  }
}`;
const ENTRIES = `query Entries(
  $slug: String!, $first: Int, $after: String, $fromRank: Int, $period: Period, $at: DateTime
) {
  leaderboard(slug: $slug) {
    total(period: $period, at: $at)
    entries(first: $first, after: $after, fromRank: $fromRank, period: $period, at: $at) {
      totalCount pageInfo { hasNextPage hasPreviousPage endCursor }
      edges { cursor node { rank score owner label metadata percentile node { id } } }
    }
  }
}`;
const ABOUT = `query About($slug: String!, $owner: ID!, $radius: Int) {
  leaderboard(slug: $slug) {
    entry(owner: $owner) { rank score submittedAt }
    around(owner: $owner, radius: $radius) { rank owner }
  }
}`;

let app: RunningApp;
let customer: SignedIn;
beforeAll(async () => {
  app = await startApp({ products: 20, env: { BOARD_UPKEEP_MS: "50" } });
  customer = await signUp(app.url);
});
afterAll(() => app?.close());

/** Makes a board of its own for a test; resolves to its slug. */
async function makeBoard(input: Record<string, unknown> = {}): Promise<string> {
  const slug = `b-${randomUUID()}`;
  const { data } = await post(
    app.url,
    CREATE,
    { input: { slug, title: "Board", ...input } },
    { token: app.adminToken },
  );
  expect(data.createLeaderboard!.errors).toEqual([]);
  return slug;
}

const submit = async (input: Record<string, unknown>, token: string | undefined = app.adminToken) =>
  post(app.url, SUBMIT, { input }, token ? { token } : {});
const outcomeOf = async (input: Record<string, unknown>, token?: string): Promise<Data> =>
  (await submit(input, token)).data.submitScore!;
const entriesOf = async (variables: Record<string, unknown>, token?: string): Promise<Data> =>
  (await post(app.url, ENTRIES, variables, token ? { token } : {})).data.leaderboard!;

describe("createLeaderboard", () => {
  it("It makes a board with an id, of all periods, in UTC unless told otherwise.", async () => {
    const slug = `b-${randomUUID()}`;
    const { data } = await post(
      app.url,
      CREATE,
      { input: { slug, title: "  Best  " } },
      { token: app.adminToken },
    );
    const made = data.createLeaderboard!.leaderboard!;
    expect(made).toMatchObject({
      slug,
      title: "Best",
      operator: "BEST",
      order: "DESC",
      tieRule: "FIRST_TO_REACH",
      timeZone: "UTC",
    });
    expect(made.periods).toEqual(["ALL_TIME", "MONTH", "WEEK", "DAY"]);
    const again = await post(
      app.url,
      "query Again($id: ID!) { node(id: $id) { __typename ... on Leaderboard { slug } } }",
      {
        id: made.id,
      },
    );
    expect(again.data.node).toEqual({ __typename: "Leaderboard", slug });
  });

  it.each([
    [{ slug: "" }, "REQUIRED", "slug"],
    [{ slug: "Big" }, "INVALID", "slug"],
    [{ slug: "a--b" }, "INVALID", "slug"],
    [{ slug: "x".repeat(65) }, "TOO_LONG", "slug"],
    [{ slug: "best-selling-products" }, "TAKEN", "slug"],
    [{ title: " " }, "REQUIRED", "title"],
    [{ title: "x".repeat(101) }, "TOO_LONG", "title"],
    [{ periods: [] }, "REQUIRED", "periods"],
    [{ periods: ["DAY", "DAY"] }, "INVALID", "periods"],
    [{ timeZone: "Europe/Atlantis" }, "INVALID", "timeZone"],
    [{ timeZone: "+01:00" }, "INVALID", "timeZone"],
  ])("A new leaderboard of %j is refused with %s.", async (values, code, field) => {
    const input = { slug: `b-${randomUUID()}`, title: "Board", ...values };
    const { data } = await post(app.url, CREATE, { input }, { token: app.adminToken });
    expect(data.createLeaderboard).toEqual({
      leaderboard: null,
      errors: [{ code, field: ["input", field] }],
    });
  });

  it("Only admins create a leaderboard.", async () => {
    const input = { slug: "mine", title: "Mine" };
    expect((await post(app.url, CREATE, { input })).errors?.[0]?.extensions.code).toBe(
      "UNAUTHENTICATED",
    );
    expect(
      (await post(app.url, CREATE, { input }, { token: customer.token })).errors?.[0]?.extensions
        .code,
    ).toBe("FORBIDDEN");
  });
});

describe("submitScore", () => {
  it("A score is answered with rank and change of rank in every period.", async () => {
    const slug = await makeBoard({ periods: ["ALL_TIME", "WEEK"] });
    await outcomeOf({ slug, owner: "rival", score: 10 });
    expect(await outcomeOf({ slug, score: 5 }, customer.token)).toEqual({
      changes: ["ALL_TIME", "WEEK"].map((period) => ({
        period,
        rank: 2,
        previousRank: null,
        score: 5,
      })),
      replayed: false,
      errors: [],
    });
    expect((await outcomeOf({ slug, score: 11 }, customer.token)).changes![0]).toEqual({
      period: "ALL_TIME",
      rank: 1,
      previousRank: 2,
      score: 11,
    });
  });

  it("It counts once however often it is sent, and repeats its first answer.", async () => {
    const slug = await makeBoard({ operator: "SUM" });
    const input = { slug, owner: "a", score: 3, operationId: "once" };
    const answers = await Promise.all([outcomeOf(input), outcomeOf(input), outcomeOf(input)]);
    await outcomeOf({ slug, owner: "b", score: 9 });
    await outcomeOf({ slug, owner: "a", score: 1 });
    answers.push(await outcomeOf(input));
    expect(answers.filter(({ replayed }) => !replayed)).toHaveLength(1);
    expect(new Set(answers.map(({ changes }) => JSON.stringify(changes))).size).toBe(1);
    const { entries } = await entriesOf({ slug });
    expect(entries!.edges!.map(({ node }) => [node!.owner, node!.score])).toEqual([
      ["b", 9],
      ["a", 4],
    ]);
    // The id is the owner's, on this board.
    expect((await outcomeOf({ ...input, owner: "c" })).replayed).toBe(false);
    expect((await outcomeOf({ ...input, score: 4 })).errors).toEqual([
      { code: "IDEMPOTENCY_MISMATCH", field: ["input", "operationId"] },
    ]);
  });

  it.each([
    [{ score: 2 ** 53 + 2 }, "OUT_OF_RANGE", "score"],
    [{ metadata: "é".repeat(513) }, "TOO_LONG", "metadata"],
    [{ operationId: "" }, "REQUIRED", "operationId"],
    [{ operationId: "x".repeat(129) }, "TOO_LONG", "operationId"],
    [{ owner: "" }, "REQUIRED", "owner"],
    [{ owner: "x".repeat(129) }, "TOO_LONG", "owner"],
    [{ owner: null }, "REQUIRED", "owner"],
    [{ slug: "nowhere" }, "NOT_FOUND", "slug"],
    [{ slug: "best-selling-products" }, "FORBIDDEN", "slug"],
  ])("A score of %j is refused with %s.", async (values, code, field) => {
    const slug = await makeBoard();
    expect(await outcomeOf({ slug, owner: "a", score: 1, ...values })).toEqual({
      changes: [],
      replayed: false,
      errors: [{ code, field: ["input", field] }],
    });
    expect((await entriesOf({ slug })).total).toBe(0);
  });

  it("A score at its bounds is taken, and a sum beyond them changes nothing.", async () => {
    const slug = await makeBoard({ operator: "SUM" });
    await outcomeOf({
      slug,
      owner: "a",
      score: 2 ** 53,
      metadata: "m".repeat(1_024),
      operationId: "x".repeat(128),
    });
    const refused = await outcomeOf({ slug, owner: "a", score: 1, operationId: "later" });
    expect(refused.errors).toEqual([{ code: "OUT_OF_RANGE", field: ["input", "score"] }]);
    // A refusal consumes nothing, not even the operation id.
    expect(
      (await outcomeOf({ slug, owner: "a", score: -1, operationId: "later" })).changes![0]!.score,
    ).toBe(2 ** 53 - 1);
  });

  it("Users submit scores for themselves, and admins for all.", async () => {
    const slug = await makeBoard();
    expect((await submit({ slug, score: 1 }, "")).errors?.[0]?.extensions.code).toBe(
      "UNAUTHENTICATED",
    );
    expect((await outcomeOf({ slug, score: 1, owner: "another" }, customer.token)).errors).toEqual([
      { code: "FORBIDDEN", field: ["input", "owner"] },
    ]);
    expect(
      (await outcomeOf({ slug, score: 1, owner: customer.id }, customer.token)).errors,
    ).toEqual([]);
  });

  it("Fifty simultaneous scores of one owner all count.", async () => {
    const slug = await makeBoard({ operator: "SUM" });
    await Promise.all(
      Array.from({ length: 50 }, (_, at) =>
        outcomeOf({ slug, owner: "a", score: 1, operationId: `op-${at % 40}` }),
      ),
    );
    expect((await entriesOf({ slug })).entries!.edges![0]!.node).toMatchObject({ score: 40 });
  });
});

describe("reading", () => {
  it("It pages from the top, a rank or a cursor, and says what share one reached.", async () => {
    const slug = await makeBoard({ tieRule: "COMPETITION" });
    for (const [owner, score] of Object.entries({ a: 4, b: 3, c: 3, d: 1 }))
      await outcomeOf({ slug, owner, score, metadata: owner });
    const first = (await entriesOf({ slug, first: 3 })).entries!;
    expect(first.edges!.map(({ node }) => [node!.rank, node!.owner, node!.percentile])).toEqual([
      [1, "a", 100],
      [2, "b", 75],
      [2, "c", 75],
    ]);
    expect(first).toMatchObject({
      totalCount: 4,
      pageInfo: { hasNextPage: true, hasPreviousPage: false },
    });
    const rest = (await entriesOf({ slug, first: 3, after: first.pageInfo!.endCursor })).entries!;
    expect(rest.edges!.map(({ node }) => node!)).toMatchObject([
      { rank: 4, owner: "d", metadata: "d", label: "d", node: null, percentile: 25 },
    ]);
    expect(rest.pageInfo).toMatchObject({ hasNextPage: false, hasPreviousPage: true });
    expect(
      (await entriesOf({ slug, fromRank: 3 })).entries!.edges!.map(({ node }) => node!.owner),
    ).toEqual(["d"]);
    const { data } = await post(app.url, ABOUT, { slug, owner: "d", radius: 1 });
    expect(data.leaderboard).toMatchObject({
      entry: { rank: 4, score: 1 },
      around: [{ owner: "b" }, { owner: "c" }, { owner: "d" }],
    });
  });

  it("Owners have their names, and a user's node is shown to that user alone.", async () => {
    const slug = await makeBoard();
    await outcomeOf({ slug, score: 5 }, customer.token);
    await outcomeOf({ slug, score: 4, owner: "UHJvZHVjdDox" });
    const nodesFor = async (token?: string) =>
      (await entriesOf({ slug }, token)).entries!.edges!.map(({ node }) => node!);
    const [user, product] = await nodesFor();
    expect(user).toMatchObject({ label: "Tess Tester", node: null, owner: customer.id });
    expect(product).toMatchObject({ node: { id: "UHJvZHVjdDox" } });
    expect(product!.label).not.toBe(product!.owner);
    expect((await nodesFor(customer.token))[0]).toMatchObject({ node: { id: customer.id } });
  });

  it.each([
    [{ first: 0 }, "first"],
    [{ first: 101 }, "first"],
    [{ after: "junk" }, "after"],
    [{ fromRank: 0 }, "fromRank"],
    [{ fromRank: 1, after: "junk" }, "fromRank"],
    [{ period: "DAY" }, "period"],
  ])("A read of %j is refused.", async (variables, argument) => {
    const slug = await makeBoard({ periods: ["ALL_TIME"] });
    const { errors } = await post(app.url, ENTRIES, { slug, ...variables });
    expect(errors?.[0]?.extensions).toMatchObject({ code: "BAD_USER_INPUT", argument: [argument] });
  });

  it("All leaderboards are listed, those of the shop first.", async () => {
    await makeBoard();
    const { data } = await post(
      app.url,
      "{ leaderboards(first: 2) { totalCount pageInfo { hasNextPage } edges { node { slug } } } }",
    );
    expect(data.leaderboards!.edges!.map(({ node }) => node!.slug)).toEqual([
      "best-selling-products",
      "most-active-buyers",
    ]);
    expect(data.leaderboards!.pageInfo).toEqual({ hasNextPage: true });
  });
});

describe("the shop's own boards", () => {
  const top = async (slug: string) =>
    (await entriesOf({ slug, period: "DAY" })).entries!.edges!.map(({ node }) => [
      node!.owner,
      node!.score,
    ]);

  it("They count what leaves the stock, once per operation, and reviewing customers.", async () => {
    const sell = (by: number) => {
      const query =
        'mutation Sell($by: Int!, $op: ID) { adjustStock(id: "UHJvZHVjdDoy", by: $by, ' +
        "operationId: $op) { errors { code } } }";
      return post(app.url, query, { by, op: `sale-${by}` }, { token: app.adminToken });
    };
    await sell(10);
    await Promise.all([sell(-3), sell(-3), sell(-2)]);
    await until("the sales to be counted", async () =>
      (await top("best-selling-products")).some(([, score]) => score === (5 as never)),
    );
    const review = (rating: number) => {
      const query =
        "mutation Review($input: ReviewInput!) { addReview(input: $input) { errors { code } } }";
      return post(
        app.url,
        query,
        { input: { productId: "UHJvZHVjdDox", rating, body: "Fine." } },
        { token: customer.token },
      );
    };
    await review(5);
    await review(4);
    await until(
      "the review to be counted",
      async () => (await top("most-active-buyers")).length > 0,
    );
    expect(await top("most-active-buyers")).toEqual([[customer.id, 1]]);
  });
});
