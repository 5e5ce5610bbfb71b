/* eslint-disable */
import * as types from './graphql';
import type { TypedDocumentNode as DocumentNode } from '@graphql-typed-document-node/core';

/**
 * Map of all GraphQL operations in the project.
 *
 * This map has several performance disadvantages:
 * 1. It is not tree-shakeable, so it will include all operations in the project.
 * 2. It is not minifiable, so the string of a GraphQL query will be multiple times inside the bundle.
 * 3. It does not support dead code elimination, so it will add unused operations.
 *
 * Therefore it is highly recommended to use the babel or swc plugin for production.
 * Learn more about it here: https://the-guild.dev/graphql/codegen/plugins/presets/preset-client#reducing-bundle-size
 */
type Documents = {
    "\n  mutation SignOut {\n    signOut {\n      signedOut\n    }\n  }\n": typeof types.SignOutDocument,
    "\n  mutation SignIn($input: SignInInput!) {\n    signIn(input: $input) {\n      viewer {\n        user {\n          id\n        }\n      }\n      errors {\n        ...UserErrorNote\n      }\n    }\n  }\n": typeof types.SignInDocument,
    "\n  mutation SignUp($input: SignUpInput!) {\n    signUp(input: $input) {\n      viewer {\n        user {\n          id\n        }\n      }\n      errors {\n        ...UserErrorNote\n      }\n    }\n  }\n": typeof types.SignUpDocument,
    "\n  query Viewer {\n    viewer {\n      email\n      user {\n        id\n        name\n      }\n    }\n  }\n": typeof types.ViewerDocument,
    "\n  query Boards {\n    leaderboards(first: 100) {\n      edges {\n        node {\n          id\n          slug\n          title\n          periods\n        }\n      }\n    }\n  }\n": typeof types.BoardsDocument,
    "\n  subscription WatchBoard($slug: String!, $period: Period!) {\n    leaderboardChanged(slug: $slug, period: $period, top: 10) {\n      version\n      leaderboard {\n        id\n        title\n      }\n      entries {\n        owner\n        rank\n        label\n        score\n      }\n    }\n  }\n": typeof types.WatchBoardDocument,
    "\n  fragment CartContent on Cart {\n    id\n    quantity\n    subtotal {\n      ...Price\n    }\n    lines {\n      product {\n        id\n      }\n      ...CartLineRow\n    }\n  }\n": typeof types.CartContentFragmentDoc,
    "\n  fragment CartLineRow on CartLine {\n    quantity\n    available\n    priceChanged\n    total {\n      ...Price\n    }\n    product {\n      id\n      name\n    }\n  }\n": typeof types.CartLineRowFragmentDoc,
    "\n  query Cart {\n    cart {\n      id\n      version\n      ...CartContent\n    }\n  }\n": typeof types.CartDocument,
    "\n  subscription WatchCart {\n    cartChanged {\n      id\n      version\n      ...CartContent\n    }\n  }\n": typeof types.WatchCartDocument,
    "\n  mutation AddToCart($productId: ID!, $quantity: Int!, $operationId: ID!) {\n    addToCart(productId: $productId, quantity: $quantity, operationId: $operationId) {\n      ...CartChange\n    }\n  }\n": typeof types.AddToCartDocument,
    "\n  mutation SetCartLine($productId: ID!, $quantity: Int!, $expectedVersion: Int!) {\n    setCartLine(productId: $productId, quantity: $quantity, expectedVersion: $expectedVersion) {\n      ...CartChange\n    }\n  }\n": typeof types.SetCartLineDocument,
    "\n  fragment CartChange on CartPayload {\n    cart {\n      id\n      version\n      ...CartContent\n    }\n    warnings {\n      message\n    }\n    errors {\n      ...UserErrorNote\n    }\n  }\n": typeof types.CartChangeFragmentDoc,
    "\n  query Inbox {\n    viewer {\n      unreadCount\n      user {\n        id\n      }\n      notifications(first: 20) {\n        edges {\n          cursor\n          node {\n            ...NotificationItem\n          }\n        }\n      }\n    }\n  }\n": typeof types.InboxDocument,
    "\n  fragment NotificationItem on Notification {\n    id\n    title\n    body\n    url\n    createdAt\n    readAt\n  }\n": typeof types.NotificationItemFragmentDoc,
    "\n  subscription WatchInbox($after: String) {\n    notificationReceived(after: $after) {\n      __typename\n      ... on NotificationDelivered {\n        cursor\n        unreadCount\n        notification {\n          ...NotificationItem\n        }\n      }\n      ... on NotificationsRead {\n        cursor\n        unreadCount\n        ids\n        upTo\n      }\n      ... on StreamGap {\n        reason\n        resumeFrom\n      }\n    }\n  }\n": typeof types.WatchInboxDocument,
    "\n  mutation MarkRead($upTo: String!) {\n    markNotificationsRead(upTo: $upTo) {\n      marked\n      errors {\n        ...UserErrorNote\n      }\n    }\n  }\n": typeof types.MarkReadDocument,
    "\n  subscription WatchProducts($ids: [ID!]!) {\n    productChanged(ids: $ids) {\n      id\n      version\n      product {\n        ...ProductLive\n      }\n    }\n  }\n": typeof types.WatchProductsDocument,
    "\n  fragment ProductLive on Product {\n    id\n    name\n    stock\n    price {\n      ...Price\n    }\n    rating {\n      average\n      count\n    }\n  }\n": typeof types.ProductLiveFragmentDoc,
    "\n  query ProductPage($id: ID!) {\n    product(id: $id) {\n      ...ProductDetails\n    }\n  }\n": typeof types.ProductPageDocument,
    "\n  fragment ProductDetails on Product {\n    id\n    name\n    description\n    stock\n    price {\n      ...Price\n    }\n    rating {\n      average\n      count\n    }\n    brand {\n      id\n      name\n    }\n  }\n": typeof types.ProductDetailsFragmentDoc,
    "\n  query Search($text: String!, $after: String) {\n    products(filter: { text: $text }, sort: POPULAR, first: 12, after: $after) {\n      totalCount\n      pageInfo {\n        hasNextPage\n        endCursor\n      }\n      edges {\n        cursor\n        node {\n          id\n          ...ProductCard\n        }\n      }\n    }\n  }\n": typeof types.SearchDocument,
    "\n  fragment ProductCard on Product {\n    id\n    name\n    stock\n    price {\n      ...Price\n    }\n  }\n": typeof types.ProductCardFragmentDoc,
    "\n  fragment Price on Money {\n    amount\n    currency\n  }\n": typeof types.PriceFragmentDoc,
    "\n  fragment UserErrorNote on UserError {\n    code\n    field\n    message\n  }\n": typeof types.UserErrorNoteFragmentDoc,
};
const documents: Documents = {
    "\n  mutation SignOut {\n    signOut {\n      signedOut\n    }\n  }\n": types.SignOutDocument,
    "\n  mutation SignIn($input: SignInInput!) {\n    signIn(input: $input) {\n      viewer {\n        user {\n          id\n        }\n      }\n      errors {\n        ...UserErrorNote\n      }\n    }\n  }\n": types.SignInDocument,
    "\n  mutation SignUp($input: SignUpInput!) {\n    signUp(input: $input) {\n      viewer {\n        user {\n          id\n        }\n      }\n      errors {\n        ...UserErrorNote\n      }\n    }\n  }\n": types.SignUpDocument,
    "\n  query Viewer {\n    viewer {\n      email\n      user {\n        id\n        name\n      }\n    }\n  }\n": types.ViewerDocument,
    "\n  query Boards {\n    leaderboards(first: 100) {\n      edges {\n        node {\n          id\n          slug\n          title\n          periods\n        }\n      }\n    }\n  }\n": types.BoardsDocument,
    "\n  subscription WatchBoard($slug: String!, $period: Period!) {\n    leaderboardChanged(slug: $slug, period: $period, top: 10) {\n      version\n      leaderboard {\n        id\n        title\n      }\n      entries {\n        owner\n        rank\n        label\n        score\n      }\n    }\n  }\n": types.WatchBoardDocument,
    "\n  fragment CartContent on Cart {\n    id\n    quantity\n    subtotal {\n      ...Price\n    }\n    lines {\n      product {\n        id\n      }\n      ...CartLineRow\n    }\n  }\n": types.CartContentFragmentDoc,
    "\n  fragment CartLineRow on CartLine {\n    quantity\n    available\n    priceChanged\n    total {\n      ...Price\n    }\n    product {\n      id\n      name\n    }\n  }\n": types.CartLineRowFragmentDoc,
    "\n  query Cart {\n    cart {\n      id\n      version\n      ...CartContent\n    }\n  }\n": types.CartDocument,
    "\n  subscription WatchCart {\n    cartChanged {\n      id\n      version\n      ...CartContent\n    }\n  }\n": types.WatchCartDocument,
    "\n  mutation AddToCart($productId: ID!, $quantity: Int!, $operationId: ID!) {\n    addToCart(productId: $productId, quantity: $quantity, operationId: $operationId) {\n      ...CartChange\n    }\n  }\n": types.AddToCartDocument,
    "\n  mutation SetCartLine($productId: ID!, $quantity: Int!, $expectedVersion: Int!) {\n    setCartLine(productId: $productId, quantity: $quantity, expectedVersion: $expectedVersion) {\n      ...CartChange\n    }\n  }\n": types.SetCartLineDocument,
    "\n  fragment CartChange on CartPayload {\n    cart {\n      id\n      version\n      ...CartContent\n    }\n    warnings {\n      message\n    }\n    errors {\n      ...UserErrorNote\n    }\n  }\n": types.CartChangeFragmentDoc,
    "\n  query Inbox {\n    viewer {\n      unreadCount\n      user {\n        id\n      }\n      notifications(first: 20) {\n        edges {\n          cursor\n          node {\n            ...NotificationItem\n          }\n        }\n      }\n    }\n  }\n": types.InboxDocument,
    "\n  fragment NotificationItem on Notification {\n    id\n    title\n    body\n    url\n    createdAt\n    readAt\n  }\n": types.NotificationItemFragmentDoc,
    "\n  subscription WatchInbox($after: String) {\n    notificationReceived(after: $after) {\n      __typename\n      ... on NotificationDelivered {\n        cursor\n        unreadCount\n        notification {\n          ...NotificationItem\n        }\n      }\n      ... on NotificationsRead {\n        cursor\n        unreadCount\n        ids\n        upTo\n      }\n      ... on StreamGap {\n        reason\n        resumeFrom\n      }\n    }\n  }\n": types.WatchInboxDocument,
    "\n  mutation MarkRead($upTo: String!) {\n    markNotificationsRead(upTo: $upTo) {\n      marked\n      errors {\n        ...UserErrorNote\n      }\n    }\n  }\n": types.MarkReadDocument,
    "\n  subscription WatchProducts($ids: [ID!]!) {\n    productChanged(ids: $ids) {\n      id\n      version\n      product {\n        ...ProductLive\n      }\n    }\n  }\n": types.WatchProductsDocument,
    "\n  fragment ProductLive on Product {\n    id\n    name\n    stock\n    price {\n      ...Price\n    }\n    rating {\n      average\n      count\n    }\n  }\n": types.ProductLiveFragmentDoc,
    "\n  query ProductPage($id: ID!) {\n    product(id: $id) {\n      ...ProductDetails\n    }\n  }\n": types.ProductPageDocument,
    "\n  fragment ProductDetails on Product {\n    id\n    name\n    description\n    stock\n    price {\n      ...Price\n    }\n    rating {\n      average\n      count\n    }\n    brand {\n      id\n      name\n    }\n  }\n": types.ProductDetailsFragmentDoc,
    "\n  query Search($text: String!, $after: String) {\n    products(filter: { text: $text }, sort: POPULAR, first: 12, after: $after) {\n      totalCount\n      pageInfo {\n        hasNextPage\n        endCursor\n      }\n      edges {\n        cursor\n        node {\n          id\n          ...ProductCard\n        }\n      }\n    }\n  }\n": types.SearchDocument,
    "\n  fragment ProductCard on Product {\n    id\n    name\n    stock\n    price {\n      ...Price\n    }\n  }\n": types.ProductCardFragmentDoc,
    "\n  fragment Price on Money {\n    amount\n    currency\n  }\n": types.PriceFragmentDoc,
    "\n  fragment UserErrorNote on UserError {\n    code\n    field\n    message\n  }\n": types.UserErrorNoteFragmentDoc,
};

/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 *
 *
 * @example
 * ```ts
 * const query = graphql(`query GetUser($id: ID!) { user(id: $id) { name } }`);
 * ```
 *
 * The query argument is unknown!
 * Please regenerate the types.
 */
export function graphql(source: string): unknown;

/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation SignOut {\n    signOut {\n      signedOut\n    }\n  }\n"): (typeof documents)["\n  mutation SignOut {\n    signOut {\n      signedOut\n    }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation SignIn($input: SignInInput!) {\n    signIn(input: $input) {\n      viewer {\n        user {\n          id\n        }\n      }\n      errors {\n        ...UserErrorNote\n      }\n    }\n  }\n"): (typeof documents)["\n  mutation SignIn($input: SignInInput!) {\n    signIn(input: $input) {\n      viewer {\n        user {\n          id\n        }\n      }\n      errors {\n        ...UserErrorNote\n      }\n    }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation SignUp($input: SignUpInput!) {\n    signUp(input: $input) {\n      viewer {\n        user {\n          id\n        }\n      }\n      errors {\n        ...UserErrorNote\n      }\n    }\n  }\n"): (typeof documents)["\n  mutation SignUp($input: SignUpInput!) {\n    signUp(input: $input) {\n      viewer {\n        user {\n          id\n        }\n      }\n      errors {\n        ...UserErrorNote\n      }\n    }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query Viewer {\n    viewer {\n      email\n      user {\n        id\n        name\n      }\n    }\n  }\n"): (typeof documents)["\n  query Viewer {\n    viewer {\n      email\n      user {\n        id\n        name\n      }\n    }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query Boards {\n    leaderboards(first: 100) {\n      edges {\n        node {\n          id\n          slug\n          title\n          periods\n        }\n      }\n    }\n  }\n"): (typeof documents)["\n  query Boards {\n    leaderboards(first: 100) {\n      edges {\n        node {\n          id\n          slug\n          title\n          periods\n        }\n      }\n    }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  subscription WatchBoard($slug: String!, $period: Period!) {\n    leaderboardChanged(slug: $slug, period: $period, top: 10) {\n      version\n      leaderboard {\n        id\n        title\n      }\n      entries {\n        owner\n        rank\n        label\n        score\n      }\n    }\n  }\n"): (typeof documents)["\n  subscription WatchBoard($slug: String!, $period: Period!) {\n    leaderboardChanged(slug: $slug, period: $period, top: 10) {\n      version\n      leaderboard {\n        id\n        title\n      }\n      entries {\n        owner\n        rank\n        label\n        score\n      }\n    }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  fragment CartContent on Cart {\n    id\n    quantity\n    subtotal {\n      ...Price\n    }\n    lines {\n      product {\n        id\n      }\n      ...CartLineRow\n    }\n  }\n"): (typeof documents)["\n  fragment CartContent on Cart {\n    id\n    quantity\n    subtotal {\n      ...Price\n    }\n    lines {\n      product {\n        id\n      }\n      ...CartLineRow\n    }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  fragment CartLineRow on CartLine {\n    quantity\n    available\n    priceChanged\n    total {\n      ...Price\n    }\n    product {\n      id\n      name\n    }\n  }\n"): (typeof documents)["\n  fragment CartLineRow on CartLine {\n    quantity\n    available\n    priceChanged\n    total {\n      ...Price\n    }\n    product {\n      id\n      name\n    }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query Cart {\n    cart {\n      id\n      version\n      ...CartContent\n    }\n  }\n"): (typeof documents)["\n  query Cart {\n    cart {\n      id\n      version\n      ...CartContent\n    }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  subscription WatchCart {\n    cartChanged {\n      id\n      version\n      ...CartContent\n    }\n  }\n"): (typeof documents)["\n  subscription WatchCart {\n    cartChanged {\n      id\n      version\n      ...CartContent\n    }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation AddToCart($productId: ID!, $quantity: Int!, $operationId: ID!) {\n    addToCart(productId: $productId, quantity: $quantity, operationId: $operationId) {\n      ...CartChange\n    }\n  }\n"): (typeof documents)["\n  mutation AddToCart($productId: ID!, $quantity: Int!, $operationId: ID!) {\n    addToCart(productId: $productId, quantity: $quantity, operationId: $operationId) {\n      ...CartChange\n    }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation SetCartLine($productId: ID!, $quantity: Int!, $expectedVersion: Int!) {\n    setCartLine(productId: $productId, quantity: $quantity, expectedVersion: $expectedVersion) {\n      ...CartChange\n    }\n  }\n"): (typeof documents)["\n  mutation SetCartLine($productId: ID!, $quantity: Int!, $expectedVersion: Int!) {\n    setCartLine(productId: $productId, quantity: $quantity, expectedVersion: $expectedVersion) {\n      ...CartChange\n    }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  fragment CartChange on CartPayload {\n    cart {\n      id\n      version\n      ...CartContent\n    }\n    warnings {\n      message\n    }\n    errors {\n      ...UserErrorNote\n    }\n  }\n"): (typeof documents)["\n  fragment CartChange on CartPayload {\n    cart {\n      id\n      version\n      ...CartContent\n    }\n    warnings {\n      message\n    }\n    errors {\n      ...UserErrorNote\n    }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query Inbox {\n    viewer {\n      unreadCount\n      user {\n        id\n      }\n      notifications(first: 20) {\n        edges {\n          cursor\n          node {\n            ...NotificationItem\n          }\n        }\n      }\n    }\n  }\n"): (typeof documents)["\n  query Inbox {\n    viewer {\n      unreadCount\n      user {\n        id\n      }\n      notifications(first: 20) {\n        edges {\n          cursor\n          node {\n            ...NotificationItem\n          }\n        }\n      }\n    }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  fragment NotificationItem on Notification {\n    id\n    title\n    body\n    url\n    createdAt\n    readAt\n  }\n"): (typeof documents)["\n  fragment NotificationItem on Notification {\n    id\n    title\n    body\n    url\n    createdAt\n    readAt\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  subscription WatchInbox($after: String) {\n    notificationReceived(after: $after) {\n      __typename\n      ... on NotificationDelivered {\n        cursor\n        unreadCount\n        notification {\n          ...NotificationItem\n        }\n      }\n      ... on NotificationsRead {\n        cursor\n        unreadCount\n        ids\n        upTo\n      }\n      ... on StreamGap {\n        reason\n        resumeFrom\n      }\n    }\n  }\n"): (typeof documents)["\n  subscription WatchInbox($after: String) {\n    notificationReceived(after: $after) {\n      __typename\n      ... on NotificationDelivered {\n        cursor\n        unreadCount\n        notification {\n          ...NotificationItem\n        }\n      }\n      ... on NotificationsRead {\n        cursor\n        unreadCount\n        ids\n        upTo\n      }\n      ... on StreamGap {\n        reason\n        resumeFrom\n      }\n    }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation MarkRead($upTo: String!) {\n    markNotificationsRead(upTo: $upTo) {\n      marked\n      errors {\n        ...UserErrorNote\n      }\n    }\n  }\n"): (typeof documents)["\n  mutation MarkRead($upTo: String!) {\n    markNotificationsRead(upTo: $upTo) {\n      marked\n      errors {\n        ...UserErrorNote\n      }\n    }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  subscription WatchProducts($ids: [ID!]!) {\n    productChanged(ids: $ids) {\n      id\n      version\n      product {\n        ...ProductLive\n      }\n    }\n  }\n"): (typeof documents)["\n  subscription WatchProducts($ids: [ID!]!) {\n    productChanged(ids: $ids) {\n      id\n      version\n      product {\n        ...ProductLive\n      }\n    }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  fragment ProductLive on Product {\n    id\n    name\n    stock\n    price {\n      ...Price\n    }\n    rating {\n      average\n      count\n    }\n  }\n"): (typeof documents)["\n  fragment ProductLive on Product {\n    id\n    name\n    stock\n    price {\n      ...Price\n    }\n    rating {\n      average\n      count\n    }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query ProductPage($id: ID!) {\n    product(id: $id) {\n      ...ProductDetails\n    }\n  }\n"): (typeof documents)["\n  query ProductPage($id: ID!) {\n    product(id: $id) {\n      ...ProductDetails\n    }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  fragment ProductDetails on Product {\n    id\n    name\n    description\n    stock\n    price {\n      ...Price\n    }\n    rating {\n      average\n      count\n    }\n    brand {\n      id\n      name\n    }\n  }\n"): (typeof documents)["\n  fragment ProductDetails on Product {\n    id\n    name\n    description\n    stock\n    price {\n      ...Price\n    }\n    rating {\n      average\n      count\n    }\n    brand {\n      id\n      name\n    }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query Search($text: String!, $after: String) {\n    products(filter: { text: $text }, sort: POPULAR, first: 12, after: $after) {\n      totalCount\n      pageInfo {\n        hasNextPage\n        endCursor\n      }\n      edges {\n        cursor\n        node {\n          id\n          ...ProductCard\n        }\n      }\n    }\n  }\n"): (typeof documents)["\n  query Search($text: String!, $after: String) {\n    products(filter: { text: $text }, sort: POPULAR, first: 12, after: $after) {\n      totalCount\n      pageInfo {\n        hasNextPage\n        endCursor\n      }\n      edges {\n        cursor\n        node {\n          id\n          ...ProductCard\n        }\n      }\n    }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  fragment ProductCard on Product {\n    id\n    name\n    stock\n    price {\n      ...Price\n    }\n  }\n"): (typeof documents)["\n  fragment ProductCard on Product {\n    id\n    name\n    stock\n    price {\n      ...Price\n    }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  fragment Price on Money {\n    amount\n    currency\n  }\n"): (typeof documents)["\n  fragment Price on Money {\n    amount\n    currency\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  fragment UserErrorNote on UserError {\n    code\n    field\n    message\n  }\n"): (typeof documents)["\n  fragment UserErrorNote on UserError {\n    code\n    field\n    message\n  }\n"];

export function graphql(source: string) {
  return (documents as any)[source] ?? {};
}

export type DocumentType<TDocumentNode extends DocumentNode<any, any>> = TDocumentNode extends DocumentNode<  infer TType,  any>  ? TType  : never;