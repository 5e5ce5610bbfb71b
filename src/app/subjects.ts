/**
 * All subjects, each after those that it uses. A new one is its
 * own files and one line here.
 */
import type { NonEmptyArray } from "type-graphql";
import type { ConfigPart } from "../config/part.js";
import type { ResolverClass } from "../schema/build-schema.js";
import { account } from "./account.js";
import { activity } from "./activity.js";
import { cart } from "./cart.js";
import { catalogue } from "./catalogue.js";
import { counters } from "./counters.js";
import { leaderboard } from "./leaderboard.js";
import type { Subject } from "./module.js";
import { node } from "./node.js";
import { notification } from "./notification.js";
import { rateLimit } from "./rate-limit.js";

export const SUBJECTS: readonly Subject[] = [
  catalogue,
  counters,
  activity,
  cart,
  leaderboard,
  notification,
  account,
  rateLimit,
  node,
];

/** The parts of the configuration that subjects bring. */
export const configPartsOf = (subjects: readonly Subject[]): ConfigPart[] =>
  subjects.flatMap(({ config }) => config ?? []);

/**
 * The resolver classes of subjects; the schema is built from
 * them.
 */
export const resolverClassesOf = (subjects: readonly Subject[]): NonEmptyArray<ResolverClass> =>
  subjects.flatMap(({ resolvers }) => resolvers) as unknown as NonEmptyArray<ResolverClass>;
