/** Reviewing: right at once wherever ratings show, once per product and user. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { signUp } from "../support/accounts.js";
import { type RunningApp, startApp } from "../support/app.js";
import { type Data, post } from "../support/graphql.js";

const ADD =
  "mutation Add($input: ReviewInput!) { addReview(input: $input) { review { id author rating " +
  "body } errors { code field } } }";
const LOOK = `query Look($id: ID!) {
  product(id: $id) {
    rating { average count }
    updatedAt
    reviews(first: 1) { totalCount edges { node { id author rating body } } }
  }
}`;

const RATED = "{ edges { node { id rating { average count } } } }";
interface Rated {
  readonly id: string;
  readonly rating: { readonly average: number; readonly count: number };
}

let app: RunningApp;
let product: string;
beforeAll(async () => {
  app = await startApp({ products: 50 });
  const { data } = await post(
    app.url,
    "{ products(sort: RATING, first: 50) { edges { node { id } } } }",
  );
  product = String(data.products!.edges![49]!.node!.id);
});
afterAll(() => app.close());

const look = async (): Promise<Data> => (await post(app.url, LOOK, { id: product })).data;
const add = async (token: string | undefined, rating: number, body = "Fine.") =>
  post(app.url, ADD, { input: { productId: product, rating, body } }, token ? { token } : {});

it("A review is in rating, count and lists at once; a second one replaces it.", async () => {
  const { token } = await signUp(app.url);
  const before = await look();
  const { data } = await add(token, 5, "  Splendid.  ");
  const review = data.addReview!.review as unknown;
  expect(review).toMatchObject({ author: "Tess Tester", rating: 5, body: "Splendid." });
  const after = await look();
  const count = Number(before.product!.rating!.count);
  expect(after.product).toMatchObject({
    rating: { count: count + 1 },
    updatedAt: before.product!.updatedAt,
    reviews: { totalCount: count + 1, edges: [{ node: review }] },
  });
  await add(token, 1, "On second thought.");
  const replaced = await look();
  expect(replaced.product).toMatchObject({
    rating: { count: count + 1 },
    reviews: {
      totalCount: count + 1,
      edges: [
        { node: { id: (review as { id: string }).id, rating: 1, body: "On second thought." } },
      ],
    },
  });
  expect(Number(replaced.product!.rating!.average)).toBeLessThan(
    Number(after.product!.rating!.average),
  );
});

it("Lists ordered by ratings follow each review.", async () => {
  const LISTS = `{ best: products(sort: RATING, first: 50) ${RATED} }`;
  const listed = async (name: string): Promise<readonly Rated[]> => {
    const { data } = await post(app.url, LISTS);
    return data[name]!.edges!.map((edge) => edge.node as unknown as Rated);
  };
  const places: number[] = [];
  for (let round = 0; round < 8; round++) {
    const { token } = await signUp(app.url);
    await add(token, 5);
    const best = await listed("best");
    expect(best.map(({ rating }) => rating.average)).toEqual(
      best.map(({ rating }) => rating.average).sort((a, b) => b - a),
    );
    places.push(best.findIndex(({ id }) => id === product));
  }
  expect(places.at(-1)).toBeLessThan(places[0]!);
});

it("Ten simultaneous reviews of one user are one review.", async () => {
  const { token } = await signUp(app.url);
  const count = Number((await look()).product!.rating!.count);
  await Promise.all(Array.from({ length: 10 }, (_, at) => add(token, 1 + (at % 5))));
  const { product: now } = await look();
  expect(now!.rating).toMatchObject({ count: count + 1 });
  expect(now!.reviews).toMatchObject({ totalCount: count + 1 });
});

it("Only signed-in users review a product.", async () => {
  for (const token of [undefined, app.adminToken])
    expect((await add(token, 5)).errors?.[0]?.extensions.code).toBe("UNAUTHENTICATED");
});

it.each([
  [{ rating: 0 }, "OUT_OF_RANGE", "rating"],
  [{ rating: 6 }, "OUT_OF_RANGE", "rating"],
  [{ body: " " }, "REQUIRED", "body"],
  [{ body: "x".repeat(5_001) }, "TOO_LONG", "body"],
  [{ productId: "QnJhbmQ6MQ" }, "INVALID", "productId"],
  [{ productId: "UHJvZHVjdDo5OTk5OTk" }, "NOT_FOUND", "productId"],
])("A review of %j is refused with %s.", async (values, code, field) => {
  const { token } = await signUp(app.url);
  const { data } = await post(
    app.url,
    ADD,
    { input: { productId: product, rating: 5, body: "Fine.", ...values } },
    { token },
  );
  expect(data.addReview).toMatchObject({
    review: null,
    errors: [{ code, field: ["input", field] }],
  });
});
