/**
 * Scope and delivery of fields. They are not in the SDL: the
 * fan-out uses them to share answers between clients.
 */
import { Extensions } from "type-graphql";
import type { AnswerScope, DeliveryClass } from "../domain/scope.js";

/**
 * Who may share the answer; by default it is the caller's alone.
 * PUBLIC requires a resolver that never reads the caller.
 */
export const Shared = (scope: Exclude<AnswerScope, "VIEWER">) => Extensions({ scope });

/** The delivery of a subscription; by default every event. */
export const Delivers = (delivery: DeliveryClass) => Extensions({ delivery });
