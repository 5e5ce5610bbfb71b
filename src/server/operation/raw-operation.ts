import type { PreparedOperation } from "../cost/cost.js";
import { isRecord } from "./document-request.js";

/** An operation as it came: of any type. */
export interface RawOperation {
  readonly query?: unknown;
  readonly extensions?: unknown;
  readonly operationName?: unknown;
  readonly variables?: unknown;
}

/** An operation whose parameters have the right types. */
export interface WellFormedOperation extends Omit<PreparedOperation, "document"> {
  readonly query: string;
}

/** Null where a parameter has a wrong type: Apollo rejects it. */
export function wellFormed({
  query,
  operationName,
  variables,
  extensions,
}: RawOperation): WellFormedOperation | null {
  if (typeof query !== "string") return null;
  if (!isAbsent(operationName) && typeof operationName !== "string") return null;
  if (!isAbsent(variables) && !isRecord(variables)) return null;
  if (!isAbsent(extensions) && !isRecord(extensions)) return null;
  return {
    query,
    operationName: operationName ?? null,
    variables: (variables ?? null) as WellFormedOperation["variables"],
  } as WellFormedOperation;
}

const isAbsent = (value: unknown): boolean => value === undefined || value === null;
