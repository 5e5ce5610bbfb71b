/**
 * What stands between a valid document and its execution, the same over HTTP and WebSocket: what it costs, who asks, and whether they may.
 */
import type { ExecutionResult } from "graphql";
import { RateLimited } from "../domain/errors.js";
import type { BucketStatus } from "../domain/limits.js";
import type { Admission } from "../services/admission.js";
import type { Charge, Paid, Payer } from "../services/limits.js";
import { type Caller, type ClaimedCaller, identify, type Operation } from "./context.js";
import type { CheckCost, Cost, Priced } from "./cost.js";
import { isRecord } from "./document-request.js";
import type { DocumentReader } from "./documents.js";
import { codeOf } from "./format-error.js";

/** What it is made of. */
export interface GateParts {
  readonly checkCost: CheckCost;
  readonly admission: Admission;
  readonly readDocument: DocumentReader;
}

/** Lets an operation of a request in. Throws OperationTooComplex, RateLimited and Unauthenticated. */
export async function letIn(parts: GateParts, operation: Operation, claimed: ClaimedCaller, priced: Priced): Promise<void> {
  const { admission } = parts;
  const cost = wholeCost(parts, priced);
  // A document without such an operation is execution's to refuse.
  if (!cost) return;
  const payer = admission.payerOf(claimed.claim);
  const { principal, paid } = await remembering(operation, admission.admit(claimed.claim, chargeOf(cost)), () =>
    payReading(parts, payer, cost),
  );
  operation.pays(new Payment(cost, paid));
  operation.caller = identify(claimed, principal);
}

/** Lets an operation of a socket in, while `prove` looks up whether it may still speak for its caller; false when it may not. Throws the same. */
export async function letInAgain(
  parts: GateParts,
  operation: Operation,
  priced: Priced,
  prove: () => Promise<Caller | null>,
): Promise<boolean> {
  const { admission } = parts;
  const cost = wholeCost(parts, priced);
  if (!cost) return true;
  // Its first values are its cost; what follows is taken from the allowance of its caller (message-allowance.ts).
  const charge = operation.kind === "subscription" ? { ...chargeOf(cost), varies: false } : chargeOf(cost);
  const payer = payerOf(admission, operation);
  const { proof, paid } = await remembering(operation, admission.admitAgain(payer, charge, prove), () => payReading(parts, payer, cost));
  operation.pays(new Payment(cost, paid));
  if (proof) operation.caller = proof;
  return proof !== null;
}

/** The cost of an operation, and of reading its document where that is new. */
interface WholeCost extends Cost {
  readonly reading: number;
}

/** Throws OperationTooComplex, which is about the operation alone. */
function wholeCost({ checkCost, readDocument }: GateParts, priced: Priced): WholeCost | null {
  const cost = checkCost(priced);
  if (!cost) return null;
  const reading = readDocument.takePrice(priced.document);
  return { ...cost, reading, requested: cost.requested + reading, actual: (data) => cost.actual(data) + reading };
}

/** A document was read before it was known who pays: it is paid for where its operation was refused, too. */
function payReading({ admission }: GateParts, payer: Payer, { reading }: WholeCost): void {
  if (reading > 0) admission.chargeReading(payer, reading);
}

/** Who pays for an operation of a socket. */
export const payerOf = (admission: Admission, { caller: { principal, client } }: Pick<Operation, "caller">): Payer =>
  admission.payerOf({ principal, ip: client.ip });

/** What is certain to be refused is refused before it is read: a flood costs neither parsing nor Redis. Throws RateLimited. */
export function refuseAtTheDoor({ checkCost, admission, readDocument }: GateParts, payer: Payer, asked: Asked | null): void {
  // Whoever may be somebody else knocks once.
  if (!admission.isTight(payer) || (payer.isGuess && asked)) return;
  const document = asked && typeof asked.query === "string" ? readDocument.known(asked.query) : undefined;
  const charge = document && asked ? knownCharge(checkCost, { document, ...readPriced(asked) }) : null;
  admission.check(payer, charge ?? unreadCharge(readDocument, asked?.query));
}

/** A request as it came. */
export interface Asked {
  readonly query?: unknown;
  readonly operationName?: unknown;
  readonly variables?: unknown;
}

/** Anything costs at least this. */
export const LEAST_CHARGE: Charge = { cost: 1, varies: false, classes: new Map() };
/** What a document costs at least that has to be read first. */
export const unreadCharge = (readDocument: DocumentReader, query: unknown): Charge => ({
  ...LEAST_CHARGE,
  cost: LEAST_CHARGE.cost + (typeof query === "string" ? readDocument.priceOf(query) : 0),
});

/** The charge of an operation; null where it will be refused for something else. */
function knownCharge(checkCost: CheckCost, priced: Priced): Charge | null {
  try {
    const cost = checkCost(priced);
    return cost && chargeOf(cost);
  } catch {
    return null;
  }
}

const readPriced = ({ operationName, variables }: Asked): Pick<Priced, "operationName" | "variables"> => ({
  operationName: typeof operationName === "string" ? operationName : null,
  variables: isRecord(variables) ? variables : null,
});

const chargeOf = ({ requested, varies, classes }: Cost): Charge => ({ cost: requested, varies, classes });

/** A refusal tells how the buckets stand, as an answer does. */
async function remembering<T>(operation: Operation, admitted: Promise<T>, refused: () => void): Promise<T> {
  try {
    return await admitted;
  } catch (error) {
    if (error instanceof RateLimited) {
      operation.refusal = error;
      operation.buckets = error.about.buckets ?? [];
      refused();
    }
    throw error;
  }
}

/** What an answer says about its cost, as `extensions.cost`. */
export interface CostReport {
  readonly requested: number;
  readonly actual: number;
  readonly limit: number;
  readonly remaining: number;
  readonly restorePerSecond: number;
}

/** What an operation has paid, and is given back. */
export class Payment {
  report: CostReport | null = null;

  constructor(
    private readonly cost: Cost,
    private readonly paid: Paid,
  ) {}

  get buckets(): readonly BucketStatus[] {
    return this.paid.buckets;
  }

  /** Settles by the answer; null when there is none. What ran out of time has done its work, so it costs what was asked for. */
  settle(result: ExecutionResult | null): BucketStatus | undefined {
    const isLate = result?.errors?.some((error) => codeOf(error) === "DEADLINE_EXCEEDED" && !error.path) ?? false;
    const { requested } = this.cost;
    const actual = isLate ? requested : this.cost.actual(result?.data);
    const bucket = this.paid.settle(actual);
    if (bucket) {
      const { limit, remaining, restorePerSecond } = bucket;
      this.report = { requested, actual, limit, remaining, restorePerSecond };
    }
    return bucket;
  }
}
