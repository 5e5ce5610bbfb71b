/**
 * What the two bounds share. The bench writes Souk's own answers into Redis before they start: they
 * send the same bytes, and neither parse nor execute any GraphQL.
 */
import { Redis } from "ioredis";

export { storedKey } from "./stored-key.mjs";

export const HOST = "127.0.0.1";
export const PORT = Number(process.env.PORT);
export const redis = new Redis(process.env.REDIS_URL);
process.once("SIGTERM", () => process.exit(0));

/** The operation that a GET has in its parameters. */
export const operationOf = ({ operationName, variables }) => ({
  operationName,
  variables: variables && JSON.parse(variables),
});
