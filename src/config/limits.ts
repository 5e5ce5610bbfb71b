/** Bounds of one request and its answer. */
import { count, type Parsed } from "./values.js";

export const limitVariables = {
  LIMIT_TOKENS: count(1_000).describe("tokens of one GraphQL document"),
  LIMIT_DEPTH: count(10).describe("nesting of one operation"),
  LIMIT_ALIASES: count(15, 0).describe("aliases in one document"),
  LIMIT_ROOT_FIELDS: count(20).describe("root fields of one operation, fragments included"),
  LIMIT_DIRECTIVES: count(20, 0).describe("directives in one document"),
  LIMIT_COST: count(10_000).describe("cost of one operation, lists as long as it asks for"),
  LIMIT_BODY_BYTES: count(256 * 1024, 1_024).describe("size of a request body"),
  LIMIT_JSON_DEPTH: count(100, 4).describe("nesting of a JSON body"),
  LIMIT_FRAME_BYTES: count(64 * 1024, 1_024).describe("size of a WebSocket frame"),
  ANSWER_MAX_BYTES: count(4 * 1024 * 1024, 128 * 1024).describe(
    "size of the answer to a query or mutation; one that is larger is not sent",
  ),
  MESSAGE_MAX_BYTES: count(256 * 1024, 128 * 1024).describe(
    "size of one message of a subscription; a larger one ends it",
  ),
  LIMIT_SOCKET_OPERATIONS: count(50).describe("operations at once on one WebSocket"),
};

export const toLimits = (env: Parsed<typeof limitVariables>) => ({
  tokens: env.LIMIT_TOKENS,
  depth: env.LIMIT_DEPTH,
  aliases: env.LIMIT_ALIASES,
  rootFields: env.LIMIT_ROOT_FIELDS,
  directives: env.LIMIT_DIRECTIVES,
  cost: env.LIMIT_COST,
  bodyBytes: env.LIMIT_BODY_BYTES,
  jsonDepth: env.LIMIT_JSON_DEPTH,
  frameBytes: env.LIMIT_FRAME_BYTES,
  answerBytes: env.ANSWER_MAX_BYTES,
  messageBytes: env.MESSAGE_MAX_BYTES,
  socketOperations: env.LIMIT_SOCKET_OPERATIONS,
});
