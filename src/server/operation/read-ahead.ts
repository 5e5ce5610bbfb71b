/** Begins the reads of a query before its caller is confirmed. */
import {
  type DocumentNode,
  getOperationAST,
  Kind,
  type OperationDefinitionNode,
  OperationTypeNode,
} from "graphql";
import type { BeginReads, ReadsAhead } from "../../resolvers/reads-ahead.js";
import type { Admission } from "../../services/rate-limit/admission.js";
import type { PreparedOperation } from "../cost/cost.js";
import type { ClaimedCaller } from "./caller.js";

export type ReadAhead = (operation: PreparedOperation, claimed: ClaimedCaller) => ReadsAhead | null;

type Begin = (userId: number) => ReadsAhead;

/** Only for a token that was looked up before. */
export function createReadAhead(
  begin: BeginReads,
  { likelyUser }: Pick<Admission, "likelyUser">,
): ReadAhead {
  const known = new WeakMap<OperationDefinitionNode, Begin | null>();
  const beginOf = (
    document: DocumentNode,
    operationName: PreparedOperation["operationName"],
  ): Begin | null => {
    const operation = getOperationAST(document, operationName);
    if (operation?.operation !== OperationTypeNode.QUERY) return null;
    const found = known.get(operation);
    if (found !== undefined) return found;
    const read = beginnerOf(begin, operation);
    known.set(operation, read);
    return read;
  };
  return ({ document, operationName }, { claim }) => {
    const userId = likelyUser(claim);
    return userId === null ? null : (beginOf(document, operationName)?.(userId) ?? null);
  };
}

/** Of its plain root fields: what is conditional may not be wanted. */
function beginnerOf(
  begin: BeginReads,
  { selectionSet: { selections } }: OperationDefinitionNode,
): Begin | null {
  const names = new Set(
    selections.flatMap((each) =>
      each.kind === Kind.FIELD && !each.directives?.length ? [each.name.value] : [],
    ),
  );
  const begins = Object.entries(begin).filter(([field]) => names.has(field));
  if (begins.length === 0) return null;
  return (userId) => Object.fromEntries(begins.map(([field, read]) => [field, read(userId)]));
}
