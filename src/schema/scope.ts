/**
 * Scope and delivery of fields. They are not in the SDL: they
 * decide how answers are shared between clients, and stored.
 */
import { Extensions } from "type-graphql";
import type { AnswerScope, DeliveryClass } from "../domain/scope.js";

/**
 * Who may share the answer; by default it is the caller's alone.
 * PUBLIC requires a resolver that never reads the caller.
 * @param options.cached all that the resolver reads comes through
 * the cache; an answer with this field may be stored; default
 * false
 */
export const Shared = (
  scope: Exclude<AnswerScope, "VIEWER">,
  { cached = false }: { readonly cached?: boolean } = {},
) => Extensions({ scope, cached });

/** The delivery of a subscription; by default every event. */
export const Delivers = (delivery: DeliveryClass) => Extensions({ delivery });
