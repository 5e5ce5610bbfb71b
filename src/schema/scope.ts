/**
 * What fields declare about their answers. Nothing of it is in the SDL: it is for the fan-out,
 * which shares answers between clients.
 */
import { Extensions } from "type-graphql";
import type { Delivery, Scope } from "../domain/scope.js";

/**
 * Who may be given the same answer; without it, nobody but whoever asks. PUBLIC only where the
 * resolver never looks at who asks.
 */
export const Shared = (scope: Exclude<Scope, "VIEWER">) => Extensions({ scope });

/** What a subscription owes its clients; without it, every event. */
export const Delivers = (delivery: Delivery) => Extensions({ delivery });
