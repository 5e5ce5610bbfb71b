import type { TypedDocumentNode as DocumentNode } from '@graphql-typed-document-node/core';
export type Maybe<T> = T | null;
export type InputMaybe<T> = Maybe<T>;
export type Exact<T extends { [key: string]: unknown }> = { [K in keyof T]: T[K] };
export type MakeOptional<T, K extends keyof T> = Omit<T, K> & { [SubKey in K]?: Maybe<T[SubKey]> };
export type MakeMaybe<T, K extends keyof T> = Omit<T, K> & { [SubKey in K]: Maybe<T[SubKey]> };
export type MakeEmpty<T extends { [key: string]: unknown }, K extends keyof T> = { [_ in K]?: never };
export type Incremental<T> = T | { [P in keyof T]?: P extends ' $fragmentName' | '__typename' ? T[P] : never };
/** All built-in and custom scalars, mapped to their actual values */
export type Scalars = {
  ID: { input: string; output: string; }
  String: { input: string; output: string; }
  Boolean: { input: boolean; output: boolean; }
  Int: { input: number; output: number; }
  Float: { input: number; output: number; }
  /** A date-time string at UTC, such as 2007-12-03T10:15:30Z, compliant with the `date-time` format outlined in section 5.6 of the RFC 3339 profile of the ISO 8601 standard for representation of dates and times using the Gregorian calendar. */
  DateTime: { input: string; output: string; }
  /** The `SafeInt` scalar type represents non-fractional signed whole numeric values that are considered safe as defined by the ECMAScript specification. */
  SafeInt: { input: number; output: number; }
};

/** What happened to an account, or to the sessions of all. */
export type AuditEvent =
  /** Every session of the account was ended by an admin. */
  | 'ALL_SESSIONS_REVOKED'
  /** The sessions of all accounts issued before `issuedBefore` were ended. */
  | 'GLOBAL_REVOCATION'
  /** Every session but the one that asked was ended. */
  | 'OTHER_SESSIONS_REVOKED'
  /** The password was changed, and every session before it ended. */
  | 'PASSWORD_CHANGED'
  /** A wrong current password at a change; counted. */
  | 'PASSWORD_CHANGE_REFUSED'
  /** One session was ended. */
  | 'SESSION_REVOKED'
  /** A session began. */
  | 'SIGNED_IN'
  /** A session ended by its own request. */
  | 'SIGNED_OUT'
  /** The account was made. */
  | 'SIGNED_UP'
  /** Too many attempts to sign in; counted. */
  | 'SIGN_IN_LIMITED'
  /** A wrong password, or an address without an account; counted. */
  | 'SIGN_IN_REFUSED';

/** How a cart differs from what was asked for or last seen. */
export type CartWarningCode =
  /** The cart went to an account at a sign-in, and this change after it; the answer shows the guest's cart, which is empty. */
  | 'CART_MOVED'
  /** The price of a product is another than when it was put into the cart. */
  | 'PRICE_CHANGED'
  /** A product in the cart was removed from the shop. */
  | 'PRODUCT_GONE'
  /** There are fewer pieces in the line than asked for: as many as are in stock, at most 999. */
  | 'QUANTITY_CLAMPED';

/** A change of the caller's password. */
export type ChangePasswordInput = {
  /** The password as it is, otherwise BAD_CREDENTIALS. */
  currentPassword: Scalars['String']['input'];
  /** The password as it is to be: 8 to 256 characters. */
  newPassword: Scalars['String']['input'];
};

/** A currency by its ISO 4217 code. One shop sells in exactly one of them. */
export type CurrencyCode =
  /** Swiss franc; minor unit: Rappen, 1/100. */
  | 'CHF'
  /** Euro; minor unit: cent, 1/100. */
  | 'EUR'
  /** Pound sterling; minor unit: penny, 1/100. */
  | 'GBP'
  /** Indian rupee; minor unit: paisa, 1/100. */
  | 'INR'
  /** Japanese yen; no minor unit, amounts are whole yen. */
  | 'JPY'
  /** United States dollar; minor unit: cent, 1/100. */
  | 'USD';

/** Why a log cannot go on where it was asked to. */
export type GapReason =
  /** The cursor is not one of this log: another user's, a damaged one, or from a history that was undone. */
  | 'CURSOR_INVALID'
  /** The history that the cursor belongs to is gone: the server that held it lost it, or may have. */
  | 'EPOCH_CHANGED'
  /** The client took events more slowly than they are kept for. */
  | 'SLOW_CONSUMER'
  /** What followed the cursor is not kept any more. */
  | 'TRIMMED';

/** A new leaderboard. None of it can be changed later: the ranks that people have depend on it. */
export type LeaderboardInput = {
  /** Which score of an owner counts. Null means BEST. */
  operator?: InputMaybe<ScoreOperator>;
  /** Which scores are good. Null means DESC. */
  order?: InputMaybe<SortOrder>;
  /** The periods it is kept for: at least one, otherwise REQUIRED; distinct, otherwise INVALID. Null means all of them. */
  periods?: InputMaybe<Array<Period>>;
  /** Names it: a-z, 0-9 and single hyphens between them, otherwise INVALID; at most 64 characters, otherwise TOO_LONG; TAKEN when there is one. */
  slug: Scalars['String']['input'];
  /** How equal scores are ranked. Null means FIRST_TO_REACH. */
  tieRule?: InputMaybe<TieRule>;
  /** The IANA time zone in which its days begin, such as Europe/Berlin in any case, otherwise INVALID; an offset is none. Null means UTC. */
  timeZone?: InputMaybe<Scalars['String']['input']>;
  /** Title as shown to everybody: one line, not blank, otherwise REQUIRED; at most 100 characters, otherwise TOO_LONG. */
  title: Scalars['String']['input'];
};

/** A notification to users or to everyone: exactly one of `userIds` and `everyone`. */
export type NotificationInput = {
  /** The text; may be empty; at most 2000 characters, otherwise TOO_LONG. */
  body: Scalars['String']['input'];
  /** True sends it to everybody who has an account now, in the background: inboxes have it one after the other. */
  everyone?: InputMaybe<Scalars['Boolean']['input']>;
  /** When it is of no use any more: from then on it is nowhere to be seen and does not count. In the future, otherwise OUT_OF_RANGE. */
  expiresAt?: InputMaybe<Scalars['DateTime']['input']>;
  /** What it is about, as a word to branch on: lower-case letters, digits, dots, dashes and underscores, beginning with a letter; at most 64 characters. */
  kind: Scalars['String']['input'];
  /** Makes it safe to repeat: any string of the caller's that is new for each notification, remembered for at least 24 hours. Repeated with the same input, nothing is sent again, and the answer says how it is now; with another, IDEMPOTENCY_MISMATCH. */
  operationId?: InputMaybe<Scalars['ID']['input']>;
  /** The headline: one line, not blank, otherwise REQUIRED; at most 200 characters, otherwise TOO_LONG. */
  title: Scalars['String']['input'];
  /** Where it leads: an address with http or https, or a path that begins with one slash, otherwise INVALID; at most 2048 characters. */
  url?: InputMaybe<Scalars['String']['input']>;
  /** Who gets it: 1 to 1000 ids of users, otherwise OUT_OF_RANGE; NOT_FOUND when nobody is behind one, and then nobody gets it. */
  userIds?: InputMaybe<Array<Scalars['ID']['input']>>;
};

/** A period of a board, in the board's time zone. */
export type Period =
  /** Since there is the board. */
  | 'ALL_TIME'
  /** A calendar day. */
  | 'DAY'
  /** A calendar month. */
  | 'MONTH'
  /** A week that begins on Monday (ISO 8601). */
  | 'WEEK';

/** Which products a list holds: those that satisfy every condition given. A null condition is none. */
export type ProductFilter = {
  /** Only products of this brand. BAD_USER_INPUT when it is not the id of a brand. */
  brandId?: InputMaybe<Scalars['ID']['input']>;
  /** Only products of this category and of all below it. BAD_USER_INPUT when it is not the id of a category. */
  categoryId?: InputMaybe<Scalars['ID']['input']>;
  /** true: only products in stock; false: only products out of stock. */
  inStock?: InputMaybe<Scalars['Boolean']['input']>;
  /** Highest price in minor units of the shop's currency, inclusive; 0 or more. */
  maxPrice?: InputMaybe<Scalars['SafeInt']['input']>;
  /** Lowest price in minor units of the shop's currency, inclusive; 0 or more. BAD_USER_INPUT when it is above `maxPrice`. */
  minPrice?: InputMaybe<Scalars['SafeInt']['input']>;
  /** Only products that contain every word of this text, each as the beginning of a word; at most 200 characters. Empty or blank: no condition. */
  text?: InputMaybe<Scalars['String']['input']>;
};

/** Everything that is set on a product. It replaces all of it: what is sent is what the product then is. */
export type ProductInput = {
  /** The brand. INVALID when it is not the id of a brand, NOT_FOUND when there is none behind it. */
  brandId: Scalars['ID']['input'];
  /** The category. INVALID when it is not the id of a category, NOT_FOUND when there is none behind it. */
  categoryId: Scalars['ID']['input'];
  /** Description in plain text; may be empty; at most 10000 characters, otherwise TOO_LONG. */
  description: Scalars['String']['input'];
  /** Name as people read it, one line of plain text: not blank, otherwise REQUIRED; at most 200 characters, otherwise TOO_LONG. */
  name: Scalars['String']['input'];
  /** Price of one piece in minor units of the shop's currency: 0 to 9999999999, otherwise OUT_OF_RANGE. */
  price: Scalars['SafeInt']['input'];
  /** Stock keeping unit: says which product is meant. An unknown one makes a new product, that of a removed one revives it. 1 to 64 characters. */
  sku: Scalars['String']['input'];
  /** Pieces that can be sold: 0 to 2147483647, otherwise OUT_OF_RANGE. */
  stock: Scalars['Int']['input'];
};

/** The order of a list of products. Equals are ordered newest first, so every order is total. */
export type ProductSort =
  /** Most recently added to the shop first. */
  | 'NEWEST'
  /** Most views, likes and shares first, where a like counts as ten views and a share as twenty; within about a minute of them. */
  | 'POPULAR'
  /** Cheapest first. */
  | 'PRICE_ASC'
  /** Most expensive first. */
  | 'PRICE_DESC'
  /** Highest average of stars first; products without reviews last. */
  | 'RATING';

/** A review by whoever is signed in. */
export type ReviewInput = {
  /** Plain text: not blank, otherwise REQUIRED; at most 5000 characters, otherwise TOO_LONG; a change of direction is closed in its paragraph, otherwise INVALID. */
  body: Scalars['String']['input'];
  /** The product. INVALID when it is not the id of a product, NOT_FOUND when there is none behind it. */
  productId: Scalars['ID']['input'];
  /** Stars, 1 (worst) to 5 (best), otherwise OUT_OF_RANGE. */
  rating: Scalars['Int']['input'];
};

/** Whose sessions to end: exactly one of the two, otherwise REQUIRED or INVALID. */
export type RevokeAllInput = {
  /** Everybody's sessions that were issued before this time, which lies in the past, otherwise OUT_OF_RANGE. */
  issuedBefore?: InputMaybe<Scalars['DateTime']['input']>;
  /** All sessions of this user. INVALID when it is not the id of a user. */
  userId?: InputMaybe<Scalars['ID']['input']>;
};

/** What an account may do. */
export type Role =
  /** Also changes the catalogue, looks accounts up, and ends anybody's sessions. */
  | 'ADMIN'
  /** Buys, and reviews what it bought. */
  | 'CUSTOMER';

/** A score for a leaderboard. */
export type ScoreInput = {
  /** Anything to be kept with the score, at most 1024 bytes of UTF-8, otherwise TOO_LONG. Everybody can read it. */
  metadata?: InputMaybe<Scalars['String']['input']>;
  /** Makes the submission safe to repeat, for good: any string of at most 128 characters that is new for each score of this owner on this board. Sent again with the same score and metadata it counts once; with others, IDEMPOTENCY_MISMATCH. */
  operationId?: InputMaybe<Scalars['ID']['input']>;
  /** Whose score it is: any id of at most 128 characters that shows something, otherwise REQUIRED; kept in Unicode NFC. Only admins may name somebody else, otherwise FORBIDDEN. Null means the caller; the service token has to name somebody, otherwise REQUIRED. */
  owner?: InputMaybe<Scalars['ID']['input']>;
  /** The score, from -2^53 to 2^53, otherwise OUT_OF_RANGE. So is one that would take a sum beyond; then the sum stays as it was. */
  score: Scalars['Float']['input'];
  /** The board. NOT_FOUND when there is none, FORBIDDEN when it is fed by the shop alone. */
  slug: Scalars['String']['input'];
};

/** Which score of an owner counts. */
export type ScoreOperator =
  /** The best one; a worse one changes nothing. */
  | 'BEST'
  /** The latest one. */
  | 'LATEST'
  /** All of them added up, with a double's arithmetic: exact for whole numbers. */
  | 'SUM';

/** The address and the password of an account. */
export type SignInInput = {
  /** How the session is handed over. */
  deliver?: InputMaybe<TokenDelivery>;
  /** The address of the account; case, Unicode form and surrounding space do not matter. */
  email: Scalars['String']['input'];
  /** The password of the account. */
  password: Scalars['String']['input'];
};

/** A new account. */
export type SignUpInput = {
  /** How the session is handed over. */
  deliver?: InputMaybe<TokenDelivery>;
  /** Address to sign in with, at most 254 characters: INVALID when it cannot be one, TAKEN when it has an account. */
  email: Scalars['String']['input'];
  /** Name as shown to everybody: one line, not blank, at most 100 characters. */
  name: Scalars['String']['input'];
  /** 8 to 256 characters of any kind, otherwise OUT_OF_RANGE or TOO_LONG. */
  password: Scalars['String']['input'];
};

/** Which scores are good. */
export type SortOrder =
  /** Low ones: times, strokes, prices. */
  | 'ASC'
  /** High ones. */
  | 'DESC';

/** How equal scores are ranked. Whatever the rule, equals stand in the order in which they reached the score. */
export type TieRule =
  /** 1, 2, 2, 4: equals share a rank, and the next one counts them all. */
  | 'COMPETITION'
  /** 1, 2, 2, 3: equals share a rank, and the next one is one more. */
  | 'DENSE'
  /** 1, 2, 3, 4: who reached the score first is ahead. */
  | 'FIRST_TO_REACH';

/** How a client keeps its session. */
export type TokenDelivery =
  /** In a cookie that scripts cannot read: for browsers. Only over HTTP; over a WebSocket it is BAD_USER_INPUT. For a page of another site than the server it is INVALID: its browser would drop the cookie. */
  | 'COOKIE'
  /** In `token` of the answer, to be sent as `Authorization: Bearer …`: for clients without cookies. */
  | 'TOKEN';

/** Why a mutation did not do what it was asked. A closed list: new codes are added only with a new kind of failure. */
export type UserErrorCode =
  /** The e-mail address and password do not belong together, or there is no such account. */
  | 'BAD_CREDENTIALS'
  /** Somebody else changed the thing first. Read it again, then decide again. */
  | 'CONFLICT'
  /** The caller may use this mutation, but not on this thing. */
  | 'FORBIDDEN'
  /** The operation id was already used with other arguments. Use a new one for a new operation. */
  | 'IDEMPOTENCY_MISMATCH'
  /** The value has the wrong form: a malformed id, characters that are not allowed. Correct it and send it again. */
  | 'INVALID'
  /** A bound of the account or the thing is reached; the message names it. */
  | 'LIMIT_REACHED'
  /** The id is well-formed, but there is nothing (any more) behind it. */
  | 'NOT_FOUND'
  /** A number is outside its bounds; the message names them. */
  | 'OUT_OF_RANGE'
  /** There is not enough stock. Nothing was taken. */
  | 'OUT_OF_STOCK'
  /** The payment provider declined. Nothing was charged. */
  | 'PAYMENT_DECLINED'
  /** The product was removed from the shop. `upsertProduct` with its sku revives it. */
  | 'PRODUCT_REMOVED'
  /** A value is missing, or shows nothing to a reader, where one is needed. */
  | 'REQUIRED'
  /** The name, address or key is already used by something else. */
  | 'TAKEN'
  /** A text is longer than allowed; the message names the limit. */
  | 'TOO_LONG';

export type ProductFieldsFragment = { id: string, name: string, description: string, sku: string, stock: number, updatedAt: string, price: { amount: number, currency: CurrencyCode }, rating: { average: number, count: number }, stats: { views: number, shares: number, likes: number }, brand: { id: string, name: string }, category: { id: string, name: string } };

export type PageFieldsFragment = { hasNextPage: boolean, hasPreviousPage: boolean, startCursor: string | null, endCursor: string | null };

export type ErrorFieldsFragment = { code: UserErrorCode, message: string, field: Array<string> | null };

export type ReadProductQueryVariables = Exact<{
  id: Scalars['ID']['input'];
}>;


export type ReadProductQuery = { product: { id: string, name: string, description: string, sku: string, stock: number, updatedAt: string, price: { amount: number, currency: CurrencyCode }, rating: { average: number, count: number }, stats: { views: number, shares: number, likes: number }, brand: { id: string, name: string }, category: { id: string, name: string } } | null };

export type ListProductsQueryVariables = Exact<{
  filter?: InputMaybe<ProductFilter>;
  sort?: InputMaybe<ProductSort>;
  first?: InputMaybe<Scalars['Int']['input']>;
  after?: InputMaybe<Scalars['String']['input']>;
}>;


export type ListProductsQuery = { products: { totalCount: number | null, pageInfo: { hasNextPage: boolean, hasPreviousPage: boolean, startCursor: string | null, endCursor: string | null }, edges: Array<{ cursor: string, node: { id: string, name: string, description: string, sku: string, stock: number, updatedAt: string, price: { amount: number, currency: CurrencyCode }, rating: { average: number, count: number }, stats: { views: number, shares: number, likes: number }, brand: { id: string, name: string }, category: { id: string, name: string } } }> } };

export type ReadCategoriesQueryVariables = Exact<{ [key: string]: never; }>;


export type ReadCategoriesQuery = { categories: Array<{ id: string, name: string, slug: string, parent: { id: string } | null, children: Array<{ id: string }> }> };

export type ListCategoryProductsQueryVariables = Exact<{
  id: Scalars['ID']['input'];
  sort?: InputMaybe<ProductSort>;
  first?: InputMaybe<Scalars['Int']['input']>;
  after?: InputMaybe<Scalars['String']['input']>;
}>;


export type ListCategoryProductsQuery = { category: { id: string, products: { totalCount: number | null, pageInfo: { hasNextPage: boolean, hasPreviousPage: boolean, startCursor: string | null, endCursor: string | null }, edges: Array<{ cursor: string, node: { id: string, category: { id: string } } }> } } | null };

export type ListBrandsQueryVariables = Exact<{
  text?: InputMaybe<Scalars['String']['input']>;
  first?: InputMaybe<Scalars['Int']['input']>;
  after?: InputMaybe<Scalars['String']['input']>;
}>;


export type ListBrandsQuery = { brands: { totalCount: number | null, pageInfo: { hasNextPage: boolean, hasPreviousPage: boolean, startCursor: string | null, endCursor: string | null }, edges: Array<{ cursor: string, node: { id: string, name: string } }> } };

export type ListReviewsQueryVariables = Exact<{
  id: Scalars['ID']['input'];
  first?: InputMaybe<Scalars['Int']['input']>;
  after?: InputMaybe<Scalars['String']['input']>;
}>;


export type ListReviewsQuery = { product: { reviews: { totalCount: number | null, pageInfo: { hasNextPage: boolean, hasPreviousPage: boolean, startCursor: string | null, endCursor: string | null }, edges: Array<{ cursor: string, node: { id: string, rating: number, createdAt: string, product: { id: string } } }> } } | null };

export type ReadNodeQueryVariables = Exact<{
  id: Scalars['ID']['input'];
}>;


export type ReadNodeQuery = { node:
    | { __typename: 'Brand', id: string }
    | { __typename: 'Category', id: string }
    | { __typename: 'Leaderboard', id: string }
    | { __typename: 'Notification', id: string }
    | { __typename: 'Product', id: string }
    | { __typename: 'Review', id: string }
    | { __typename: 'User', id: string }
   | null };

export type ReadNodesQueryVariables = Exact<{
  ids: Array<Scalars['ID']['input']> | Scalars['ID']['input'];
}>;


export type ReadNodesQuery = { nodes: Array<
    | { __typename: 'Brand', id: string }
    | { __typename: 'Category', id: string }
    | { __typename: 'Leaderboard', id: string }
    | { __typename: 'Notification', id: string }
    | { __typename: 'Product', id: string }
    | { __typename: 'Review', id: string }
    | { __typename: 'User', id: string }
   | null> };

export type SaveProductMutationVariables = Exact<{
  input: ProductInput;
}>;


export type SaveProductMutation = { upsertProduct: { product: { id: string, name: string, description: string, sku: string, stock: number, updatedAt: string, price: { amount: number, currency: CurrencyCode }, rating: { average: number, count: number }, stats: { views: number, shares: number, likes: number }, brand: { id: string, name: string }, category: { id: string, name: string } } | null, errors: Array<{ code: UserErrorCode, message: string, field: Array<string> | null }> } };

export type ChangeStockMutationVariables = Exact<{
  id: Scalars['ID']['input'];
  by: Scalars['Int']['input'];
  operationId?: InputMaybe<Scalars['ID']['input']>;
}>;


export type ChangeStockMutation = { adjustStock: { product: { id: string, name: string, description: string, sku: string, stock: number, updatedAt: string, price: { amount: number, currency: CurrencyCode }, rating: { average: number, count: number }, stats: { views: number, shares: number, likes: number }, brand: { id: string, name: string }, category: { id: string, name: string } } | null, errors: Array<{ code: UserErrorCode, message: string, field: Array<string> | null }> } };

export type DropProductMutationVariables = Exact<{
  id: Scalars['ID']['input'];
}>;


export type DropProductMutation = { removeProduct: { product: { id: string } | null, errors: Array<{ code: UserErrorCode, message: string, field: Array<string> | null }> } };

export type ProductChangesSubscriptionVariables = Exact<{
  ids: Array<Scalars['ID']['input']> | Scalars['ID']['input'];
}>;


export type ProductChangesSubscription = { productChanged: { id: string, version: string, product: { id: string, name: string, description: string, sku: string, stock: number, updatedAt: string, price: { amount: number, currency: CurrencyCode }, rating: { average: number, count: number }, stats: { views: number, shares: number, likes: number }, brand: { id: string, name: string }, category: { id: string, name: string } } | null } };

export const ProductFieldsFragmentDoc = {"kind":"Document","definitions":[{"kind":"FragmentDefinition","name":{"kind":"Name","value":"ProductFields"},"typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"Product"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"name"}},{"kind":"Field","name":{"kind":"Name","value":"description"}},{"kind":"Field","name":{"kind":"Name","value":"sku"}},{"kind":"Field","name":{"kind":"Name","value":"stock"}},{"kind":"Field","name":{"kind":"Name","value":"updatedAt"}},{"kind":"Field","name":{"kind":"Name","value":"price"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"amount"}},{"kind":"Field","name":{"kind":"Name","value":"currency"}}]}},{"kind":"Field","name":{"kind":"Name","value":"rating"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"average"}},{"kind":"Field","name":{"kind":"Name","value":"count"}}]}},{"kind":"Field","name":{"kind":"Name","value":"stats"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"views"}},{"kind":"Field","name":{"kind":"Name","value":"shares"}},{"kind":"Field","name":{"kind":"Name","value":"likes"}}]}},{"kind":"Field","name":{"kind":"Name","value":"brand"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"name"}}]}},{"kind":"Field","name":{"kind":"Name","value":"category"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"name"}}]}}]}}]} as unknown as DocumentNode<ProductFieldsFragment, unknown>;
export const PageFieldsFragmentDoc = {"kind":"Document","definitions":[{"kind":"FragmentDefinition","name":{"kind":"Name","value":"PageFields"},"typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"PageInfo"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"hasNextPage"}},{"kind":"Field","name":{"kind":"Name","value":"hasPreviousPage"}},{"kind":"Field","name":{"kind":"Name","value":"startCursor"}},{"kind":"Field","name":{"kind":"Name","value":"endCursor"}}]}}]} as unknown as DocumentNode<PageFieldsFragment, unknown>;
export const ErrorFieldsFragmentDoc = {"kind":"Document","definitions":[{"kind":"FragmentDefinition","name":{"kind":"Name","value":"ErrorFields"},"typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"UserError"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"code"}},{"kind":"Field","name":{"kind":"Name","value":"message"}},{"kind":"Field","name":{"kind":"Name","value":"field"}}]}}]} as unknown as DocumentNode<ErrorFieldsFragment, unknown>;
export const ReadProductDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"query","name":{"kind":"Name","value":"ReadProduct"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"id"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"ID"}}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"product"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"id"},"value":{"kind":"Variable","name":{"kind":"Name","value":"id"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"FragmentSpread","name":{"kind":"Name","value":"ProductFields"}}]}}]}},{"kind":"FragmentDefinition","name":{"kind":"Name","value":"ProductFields"},"typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"Product"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"name"}},{"kind":"Field","name":{"kind":"Name","value":"description"}},{"kind":"Field","name":{"kind":"Name","value":"sku"}},{"kind":"Field","name":{"kind":"Name","value":"stock"}},{"kind":"Field","name":{"kind":"Name","value":"updatedAt"}},{"kind":"Field","name":{"kind":"Name","value":"price"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"amount"}},{"kind":"Field","name":{"kind":"Name","value":"currency"}}]}},{"kind":"Field","name":{"kind":"Name","value":"rating"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"average"}},{"kind":"Field","name":{"kind":"Name","value":"count"}}]}},{"kind":"Field","name":{"kind":"Name","value":"stats"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"views"}},{"kind":"Field","name":{"kind":"Name","value":"shares"}},{"kind":"Field","name":{"kind":"Name","value":"likes"}}]}},{"kind":"Field","name":{"kind":"Name","value":"brand"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"name"}}]}},{"kind":"Field","name":{"kind":"Name","value":"category"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"name"}}]}}]}}]} as unknown as DocumentNode<ReadProductQuery, ReadProductQueryVariables>;
export const ListProductsDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"query","name":{"kind":"Name","value":"ListProducts"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"filter"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"ProductFilter"}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"sort"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"ProductSort"}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"first"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"Int"}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"after"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"String"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"products"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"filter"},"value":{"kind":"Variable","name":{"kind":"Name","value":"filter"}}},{"kind":"Argument","name":{"kind":"Name","value":"sort"},"value":{"kind":"Variable","name":{"kind":"Name","value":"sort"}}},{"kind":"Argument","name":{"kind":"Name","value":"first"},"value":{"kind":"Variable","name":{"kind":"Name","value":"first"}}},{"kind":"Argument","name":{"kind":"Name","value":"after"},"value":{"kind":"Variable","name":{"kind":"Name","value":"after"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"totalCount"}},{"kind":"Field","name":{"kind":"Name","value":"pageInfo"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"FragmentSpread","name":{"kind":"Name","value":"PageFields"}}]}},{"kind":"Field","name":{"kind":"Name","value":"edges"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"cursor"}},{"kind":"Field","name":{"kind":"Name","value":"node"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"FragmentSpread","name":{"kind":"Name","value":"ProductFields"}}]}}]}}]}}]}},{"kind":"FragmentDefinition","name":{"kind":"Name","value":"PageFields"},"typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"PageInfo"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"hasNextPage"}},{"kind":"Field","name":{"kind":"Name","value":"hasPreviousPage"}},{"kind":"Field","name":{"kind":"Name","value":"startCursor"}},{"kind":"Field","name":{"kind":"Name","value":"endCursor"}}]}},{"kind":"FragmentDefinition","name":{"kind":"Name","value":"ProductFields"},"typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"Product"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"name"}},{"kind":"Field","name":{"kind":"Name","value":"description"}},{"kind":"Field","name":{"kind":"Name","value":"sku"}},{"kind":"Field","name":{"kind":"Name","value":"stock"}},{"kind":"Field","name":{"kind":"Name","value":"updatedAt"}},{"kind":"Field","name":{"kind":"Name","value":"price"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"amount"}},{"kind":"Field","name":{"kind":"Name","value":"currency"}}]}},{"kind":"Field","name":{"kind":"Name","value":"rating"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"average"}},{"kind":"Field","name":{"kind":"Name","value":"count"}}]}},{"kind":"Field","name":{"kind":"Name","value":"stats"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"views"}},{"kind":"Field","name":{"kind":"Name","value":"shares"}},{"kind":"Field","name":{"kind":"Name","value":"likes"}}]}},{"kind":"Field","name":{"kind":"Name","value":"brand"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"name"}}]}},{"kind":"Field","name":{"kind":"Name","value":"category"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"name"}}]}}]}}]} as unknown as DocumentNode<ListProductsQuery, ListProductsQueryVariables>;
export const ReadCategoriesDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"query","name":{"kind":"Name","value":"ReadCategories"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"categories"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"name"}},{"kind":"Field","name":{"kind":"Name","value":"slug"}},{"kind":"Field","name":{"kind":"Name","value":"parent"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}}]}},{"kind":"Field","name":{"kind":"Name","value":"children"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}}]}}]}}]}}]} as unknown as DocumentNode<ReadCategoriesQuery, ReadCategoriesQueryVariables>;
export const ListCategoryProductsDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"query","name":{"kind":"Name","value":"ListCategoryProducts"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"id"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"ID"}}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"sort"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"ProductSort"}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"first"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"Int"}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"after"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"String"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"category"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"id"},"value":{"kind":"Variable","name":{"kind":"Name","value":"id"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"products"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"sort"},"value":{"kind":"Variable","name":{"kind":"Name","value":"sort"}}},{"kind":"Argument","name":{"kind":"Name","value":"first"},"value":{"kind":"Variable","name":{"kind":"Name","value":"first"}}},{"kind":"Argument","name":{"kind":"Name","value":"after"},"value":{"kind":"Variable","name":{"kind":"Name","value":"after"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"totalCount"}},{"kind":"Field","name":{"kind":"Name","value":"pageInfo"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"FragmentSpread","name":{"kind":"Name","value":"PageFields"}}]}},{"kind":"Field","name":{"kind":"Name","value":"edges"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"cursor"}},{"kind":"Field","name":{"kind":"Name","value":"node"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"category"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}}]}}]}}]}}]}}]}}]}},{"kind":"FragmentDefinition","name":{"kind":"Name","value":"PageFields"},"typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"PageInfo"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"hasNextPage"}},{"kind":"Field","name":{"kind":"Name","value":"hasPreviousPage"}},{"kind":"Field","name":{"kind":"Name","value":"startCursor"}},{"kind":"Field","name":{"kind":"Name","value":"endCursor"}}]}}]} as unknown as DocumentNode<ListCategoryProductsQuery, ListCategoryProductsQueryVariables>;
export const ListBrandsDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"query","name":{"kind":"Name","value":"ListBrands"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"text"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"String"}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"first"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"Int"}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"after"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"String"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"brands"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"text"},"value":{"kind":"Variable","name":{"kind":"Name","value":"text"}}},{"kind":"Argument","name":{"kind":"Name","value":"first"},"value":{"kind":"Variable","name":{"kind":"Name","value":"first"}}},{"kind":"Argument","name":{"kind":"Name","value":"after"},"value":{"kind":"Variable","name":{"kind":"Name","value":"after"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"totalCount"}},{"kind":"Field","name":{"kind":"Name","value":"pageInfo"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"FragmentSpread","name":{"kind":"Name","value":"PageFields"}}]}},{"kind":"Field","name":{"kind":"Name","value":"edges"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"cursor"}},{"kind":"Field","name":{"kind":"Name","value":"node"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"name"}}]}}]}}]}}]}},{"kind":"FragmentDefinition","name":{"kind":"Name","value":"PageFields"},"typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"PageInfo"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"hasNextPage"}},{"kind":"Field","name":{"kind":"Name","value":"hasPreviousPage"}},{"kind":"Field","name":{"kind":"Name","value":"startCursor"}},{"kind":"Field","name":{"kind":"Name","value":"endCursor"}}]}}]} as unknown as DocumentNode<ListBrandsQuery, ListBrandsQueryVariables>;
export const ListReviewsDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"query","name":{"kind":"Name","value":"ListReviews"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"id"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"ID"}}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"first"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"Int"}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"after"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"String"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"product"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"id"},"value":{"kind":"Variable","name":{"kind":"Name","value":"id"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"reviews"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"first"},"value":{"kind":"Variable","name":{"kind":"Name","value":"first"}}},{"kind":"Argument","name":{"kind":"Name","value":"after"},"value":{"kind":"Variable","name":{"kind":"Name","value":"after"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"totalCount"}},{"kind":"Field","name":{"kind":"Name","value":"pageInfo"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"FragmentSpread","name":{"kind":"Name","value":"PageFields"}}]}},{"kind":"Field","name":{"kind":"Name","value":"edges"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"cursor"}},{"kind":"Field","name":{"kind":"Name","value":"node"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"rating"}},{"kind":"Field","name":{"kind":"Name","value":"createdAt"}},{"kind":"Field","name":{"kind":"Name","value":"product"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}}]}}]}}]}}]}}]}}]}},{"kind":"FragmentDefinition","name":{"kind":"Name","value":"PageFields"},"typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"PageInfo"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"hasNextPage"}},{"kind":"Field","name":{"kind":"Name","value":"hasPreviousPage"}},{"kind":"Field","name":{"kind":"Name","value":"startCursor"}},{"kind":"Field","name":{"kind":"Name","value":"endCursor"}}]}}]} as unknown as DocumentNode<ListReviewsQuery, ListReviewsQueryVariables>;
export const ReadNodeDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"query","name":{"kind":"Name","value":"ReadNode"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"id"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"ID"}}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"node"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"id"},"value":{"kind":"Variable","name":{"kind":"Name","value":"id"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"__typename"}},{"kind":"Field","name":{"kind":"Name","value":"id"}}]}}]}}]} as unknown as DocumentNode<ReadNodeQuery, ReadNodeQueryVariables>;
export const ReadNodesDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"query","name":{"kind":"Name","value":"ReadNodes"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"ids"}},"type":{"kind":"NonNullType","type":{"kind":"ListType","type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"ID"}}}}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"nodes"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"ids"},"value":{"kind":"Variable","name":{"kind":"Name","value":"ids"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"__typename"}},{"kind":"Field","name":{"kind":"Name","value":"id"}}]}}]}}]} as unknown as DocumentNode<ReadNodesQuery, ReadNodesQueryVariables>;
export const SaveProductDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"mutation","name":{"kind":"Name","value":"SaveProduct"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"input"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"ProductInput"}}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"upsertProduct"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"input"},"value":{"kind":"Variable","name":{"kind":"Name","value":"input"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"product"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"FragmentSpread","name":{"kind":"Name","value":"ProductFields"}}]}},{"kind":"Field","name":{"kind":"Name","value":"errors"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"FragmentSpread","name":{"kind":"Name","value":"ErrorFields"}}]}}]}}]}},{"kind":"FragmentDefinition","name":{"kind":"Name","value":"ProductFields"},"typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"Product"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"name"}},{"kind":"Field","name":{"kind":"Name","value":"description"}},{"kind":"Field","name":{"kind":"Name","value":"sku"}},{"kind":"Field","name":{"kind":"Name","value":"stock"}},{"kind":"Field","name":{"kind":"Name","value":"updatedAt"}},{"kind":"Field","name":{"kind":"Name","value":"price"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"amount"}},{"kind":"Field","name":{"kind":"Name","value":"currency"}}]}},{"kind":"Field","name":{"kind":"Name","value":"rating"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"average"}},{"kind":"Field","name":{"kind":"Name","value":"count"}}]}},{"kind":"Field","name":{"kind":"Name","value":"stats"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"views"}},{"kind":"Field","name":{"kind":"Name","value":"shares"}},{"kind":"Field","name":{"kind":"Name","value":"likes"}}]}},{"kind":"Field","name":{"kind":"Name","value":"brand"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"name"}}]}},{"kind":"Field","name":{"kind":"Name","value":"category"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"name"}}]}}]}},{"kind":"FragmentDefinition","name":{"kind":"Name","value":"ErrorFields"},"typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"UserError"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"code"}},{"kind":"Field","name":{"kind":"Name","value":"message"}},{"kind":"Field","name":{"kind":"Name","value":"field"}}]}}]} as unknown as DocumentNode<SaveProductMutation, SaveProductMutationVariables>;
export const ChangeStockDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"mutation","name":{"kind":"Name","value":"ChangeStock"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"id"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"ID"}}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"by"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"Int"}}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"operationId"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"ID"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"adjustStock"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"id"},"value":{"kind":"Variable","name":{"kind":"Name","value":"id"}}},{"kind":"Argument","name":{"kind":"Name","value":"by"},"value":{"kind":"Variable","name":{"kind":"Name","value":"by"}}},{"kind":"Argument","name":{"kind":"Name","value":"operationId"},"value":{"kind":"Variable","name":{"kind":"Name","value":"operationId"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"product"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"FragmentSpread","name":{"kind":"Name","value":"ProductFields"}}]}},{"kind":"Field","name":{"kind":"Name","value":"errors"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"FragmentSpread","name":{"kind":"Name","value":"ErrorFields"}}]}}]}}]}},{"kind":"FragmentDefinition","name":{"kind":"Name","value":"ProductFields"},"typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"Product"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"name"}},{"kind":"Field","name":{"kind":"Name","value":"description"}},{"kind":"Field","name":{"kind":"Name","value":"sku"}},{"kind":"Field","name":{"kind":"Name","value":"stock"}},{"kind":"Field","name":{"kind":"Name","value":"updatedAt"}},{"kind":"Field","name":{"kind":"Name","value":"price"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"amount"}},{"kind":"Field","name":{"kind":"Name","value":"currency"}}]}},{"kind":"Field","name":{"kind":"Name","value":"rating"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"average"}},{"kind":"Field","name":{"kind":"Name","value":"count"}}]}},{"kind":"Field","name":{"kind":"Name","value":"stats"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"views"}},{"kind":"Field","name":{"kind":"Name","value":"shares"}},{"kind":"Field","name":{"kind":"Name","value":"likes"}}]}},{"kind":"Field","name":{"kind":"Name","value":"brand"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"name"}}]}},{"kind":"Field","name":{"kind":"Name","value":"category"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"name"}}]}}]}},{"kind":"FragmentDefinition","name":{"kind":"Name","value":"ErrorFields"},"typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"UserError"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"code"}},{"kind":"Field","name":{"kind":"Name","value":"message"}},{"kind":"Field","name":{"kind":"Name","value":"field"}}]}}]} as unknown as DocumentNode<ChangeStockMutation, ChangeStockMutationVariables>;
export const DropProductDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"mutation","name":{"kind":"Name","value":"DropProduct"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"id"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"ID"}}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"removeProduct"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"id"},"value":{"kind":"Variable","name":{"kind":"Name","value":"id"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"product"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}}]}},{"kind":"Field","name":{"kind":"Name","value":"errors"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"FragmentSpread","name":{"kind":"Name","value":"ErrorFields"}}]}}]}}]}},{"kind":"FragmentDefinition","name":{"kind":"Name","value":"ErrorFields"},"typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"UserError"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"code"}},{"kind":"Field","name":{"kind":"Name","value":"message"}},{"kind":"Field","name":{"kind":"Name","value":"field"}}]}}]} as unknown as DocumentNode<DropProductMutation, DropProductMutationVariables>;
export const ProductChangesDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"subscription","name":{"kind":"Name","value":"ProductChanges"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"ids"}},"type":{"kind":"NonNullType","type":{"kind":"ListType","type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"ID"}}}}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"productChanged"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"ids"},"value":{"kind":"Variable","name":{"kind":"Name","value":"ids"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"version"}},{"kind":"Field","name":{"kind":"Name","value":"product"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"FragmentSpread","name":{"kind":"Name","value":"ProductFields"}}]}}]}}]}},{"kind":"FragmentDefinition","name":{"kind":"Name","value":"ProductFields"},"typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"Product"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"name"}},{"kind":"Field","name":{"kind":"Name","value":"description"}},{"kind":"Field","name":{"kind":"Name","value":"sku"}},{"kind":"Field","name":{"kind":"Name","value":"stock"}},{"kind":"Field","name":{"kind":"Name","value":"updatedAt"}},{"kind":"Field","name":{"kind":"Name","value":"price"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"amount"}},{"kind":"Field","name":{"kind":"Name","value":"currency"}}]}},{"kind":"Field","name":{"kind":"Name","value":"rating"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"average"}},{"kind":"Field","name":{"kind":"Name","value":"count"}}]}},{"kind":"Field","name":{"kind":"Name","value":"stats"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"views"}},{"kind":"Field","name":{"kind":"Name","value":"shares"}},{"kind":"Field","name":{"kind":"Name","value":"likes"}}]}},{"kind":"Field","name":{"kind":"Name","value":"brand"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"name"}}]}},{"kind":"Field","name":{"kind":"Name","value":"category"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"name"}}]}}]}}]} as unknown as DocumentNode<ProductChangesSubscription, ProductChangesSubscriptionVariables>;