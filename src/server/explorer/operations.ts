/** Operations that run as they stand in a seeded shop. */
import { encodeId } from "../../domain/ids.js";

/** An operation to try. */
export interface DemoOperation {
  /** That of its document too. */
  readonly name: string;
  /** What it does, for people. */
  readonly title: string;
  readonly query: string;
  readonly variables?: Readonly<Record<string, unknown>>;
  /** Needs the admin token. */
  readonly forAdmins?: true;
}

/** The first product of a seeded shop. */
export const DEMO_PRODUCT = encodeId("Product", 1);
/** The board to which the first page submits scores. */
export const DEMO_BOARD = "favourites";

const AS_IT_IS_NOW = "The first message is the product as it is now; leave it running.";
const SHOWN_BY_WATCH = "Watch shows the change in another window.";
const CARD = "id name sku stock price { amount currency } brand { name } category { name }";
const ERRORS = "errors { code message field }";

/** The first tabs of an editor: one operation of each kind. */
export const EDITOR_OPERATIONS = [
  {
    name: "Storefront",
    title: "Read a page of the shop",
    query: `# Welcome to Souk. Three operations to try; press the play button.

query Storefront {
  products(first: 5, sort: RATING) {
    totalCount
    edges {
      cursor
      node { ${CARD} rating { average count } }
    }
    pageInfo { hasNextPage endCursor }
  }
}
`,
  },
  {
    name: "Watch",
    title: "Watch a product",
    query: `# Any id of Storefront goes into the variables. ${AS_IT_IS_NOW}
subscription Watch($ids: [ID!]!) {
  productChanged(ids: $ids) {
    id
    version
    product { id name stock price { amount currency } }
  }
}
`,
    variables: { ids: [DEMO_PRODUCT] },
  },
  {
    name: "Restock",
    title: "Restock",
    query: `# For admins. ${SHOWN_BY_WATCH}
# Header: {"Authorization": "Bearer <admin token>"}
mutation Restock($id: ID!) {
  adjustStock(id: $id, by: 5) {
    product { id stock }
    ${ERRORS}
  }
}
`,
    variables: { id: DEMO_PRODUCT },
    forAdmins: true,
  },
] as const satisfies readonly DemoOperation[];

/** What the first page runs besides. */
const PAGE_OPERATIONS = [
  {
    name: "WatchStats",
    title: "Watch its counters",
    query: `subscription WatchStats($productId: ID!) {
  productStatsChanged(productId: $productId) {
    id
    stats { views viewsToday }
  }
}
`,
    variables: { productId: DEMO_PRODUCT },
  },
  {
    name: "WatchBoard",
    title: "Watch the board",
    query: `subscription WatchBoard($slug: String!) {
  leaderboardChanged(slug: $slug, top: 10) {
    total
    leaderboard { title }
    entries { rank score label owner }
  }
}
`,
    variables: { slug: DEMO_BOARD },
  },
  {
    name: "WatchCart",
    title: "Watch your cart",
    query: `subscription WatchCart {
  cartChanged { id version quantity }
}
`,
  },
  {
    name: "ReadCart",
    title: "Read your cart",
    query: `query ReadCart {
  cart { id version quantity }
}
`,
  },
  {
    name: "CountView",
    title: "View",
    query: `mutation CountView($productId: ID!) {
  trackView(productId: $productId) {
    stats { views viewsToday }
    ${ERRORS}
  }
}
`,
    variables: { productId: DEMO_PRODUCT },
  },
  {
    name: "AddOne",
    title: "Add to cart",
    query: `mutation AddOne($productId: ID!) {
  addToCart(productId: $productId) {
    cart { id version quantity }
    ${ERRORS}
  }
}
`,
    variables: { productId: DEMO_PRODUCT },
  },
  {
    name: "MakeBoard",
    title: "Make the board",
    query: `# For admins. Safe to repeat: the second time the slug is TAKEN.
mutation MakeBoard($input: LeaderboardInput!) {
  createLeaderboard(input: $input) {
    leaderboard { id title }
    ${ERRORS}
  }
}
`,
    variables: { input: { slug: DEMO_BOARD, title: "Favourites", operator: "SUM" } },
    forAdmins: true,
  },
  {
    name: "Score",
    title: "Submit a score",
    query: `# For admins: customers submit their own.
mutation Score($input: ScoreInput!) {
  submitScore(input: $input) {
    changes { period rank previousRank score }
    ${ERRORS}
  }
}
`,
    variables: { input: { slug: DEMO_BOARD, owner: DEMO_PRODUCT, score: 1 } },
    forAdmins: true,
  },
] as const satisfies readonly DemoOperation[];

export const DEMO_OPERATIONS: readonly DemoOperation[] = [...EDITOR_OPERATIONS, ...PAGE_OPERATIONS];
