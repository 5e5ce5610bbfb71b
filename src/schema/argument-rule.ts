/**
 * What arguments declare about their values. Nothing of it is in the SDL: the server checks it
 * before anything runs.
 */
import { Extensions } from "type-graphql";
import type { ArgumentRule } from "../domain/argument-rules.js";

/**
 * Refuses the whole operation with BAD_USER_INPUT when a value of this argument cannot be meant.
 * Null and absence are allowed.
 */
export const Checked = (rule: ArgumentRule) => Extensions({ rule });
