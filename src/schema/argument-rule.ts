/**
 * Bounds of arguments. They are not in the SDL: the server checks
 * them before execution.
 */
import { Extensions } from "type-graphql";
import type { ArgumentRule } from "../domain/argument-rules.js";

/**
 * Rejects the operation with BAD_USER_INPUT when a value breaks
 * the rule. Null and absence are allowed.
 */
export const Checked = (rule: ArgumentRule) => Extensions({ rule });
