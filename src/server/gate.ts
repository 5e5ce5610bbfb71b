/**
 * What stands between a valid document and its execution, the same over HTTP and WebSocket: what it costs, who asks, and whether they may.
 */
import type { ExecutionResult } from "graphql";
import { type ErrorCode, RateLimited } from "../domain/errors.js";
import type { BucketStatus } from "../domain/limits.js";
import { NOTHING_SEEN } from "../domain/seen.js";
import { type Admission, REFUSED_COST } from "../services/admission.js";
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
  /** Whether a caller's reads go past the cache now. */
  readsPastCache(caller: Caller): boolean;
  /** What one operation may cost: every bucket holds as much. */
  readonly largest: number;
}

/** What a read of Postgres takes beside one of the cache; measured, see decision 0114. */
const PAST_CACHE_FACTOR = 10;

/** What an operation costs its caller: reads that go past the cache cost more. */
function priceFor({ checkCost, readsPastCache, largest }: GateParts, caller: Caller, priced: Priced): Cost | null {
  const cost = checkCost(priced);
  if (!cost || !readsPastCache(caller)) return cost;
  const requested = Math.min(cost.requested * PAST_CACHE_FACTOR, largest);
  return { ...cost, requested, actual: (data) => Math.min(cost.actual(data) * PAST_CACHE_FACTOR, requested) };
}

/** Lets an operation of a request in. Throws OperationTooComplex, RateLimited and Unauthenticated. */
export async function letIn(gate: GateParts, operation: Operation, claimed: ClaimedCaller, priced: Priced): Promise<void> {
  const cost = priceFor(gate, claimed.caller, priced);
  // A document without such an operation is execution's to refuse.
  if (!cost) return;
  const { principal, paid } = await remembering(operation, gate.admission.admit(claimed.claim, chargeOf(cost)));
  operation.pays(new Payment(cost, paid));
  operation.caller = identify(claimed, principal);
}

/** Lets an operation of a socket in, while `prove` looks up whether it may still speak for its caller; false when it may not. Throws the same. */
export async function letInAgain(
  gate: GateParts,
  operation: Operation,
  priced: Priced,
  prove: () => Promise<Caller | null>,
): Promise<boolean> {
  const { caller } = operation;
  // No message heeds the order of a token to read past the cache.
  const cost = priceFor(gate, operation.kind === "subscription" ? { ...caller, seen: NOTHING_SEEN } : caller, priced);
  if (!cost) return true;
  // Its first values are its cost; what follows was paid for by whoever made the change.
  const charge = operation.kind === "subscription" ? { ...chargeOf(cost), varies: false } : chargeOf(cost);
  const { admission } = gate;
  const { proof, paid } = await remembering(operation, admission.admitAgain(payerOf(admission, operation), charge, prove));
  operation.pays(new Payment(cost, paid));
  if (proof) operation.caller = proof;
  return proof !== null;
}

/** Who pays for an operation of a socket. */
export const payerOf = (admission: Admission, { caller: { principal, client } }: Pick<Operation, "caller">): Payer =>
  admission.payerOf({ principal, ip: client.ip });

/** What is certain to be refused is refused before it is read: a flood costs neither parsing nor Redis. Throws RateLimited. */
export function refuseAtTheDoor({ checkCost, admission, readDocument }: DoorParts, payer: Payer, asked: Asked | null): void {
  // Whoever may be somebody else knocks once.
  if (!admission.isTight(payer) || (payer.isGuess && asked)) return;
  const document = asked && typeof asked.query === "string" ? readDocument.known(asked.query) : undefined;
  const charge = document && asked ? knownCharge(checkCost, { document, ...readPriced(asked) }) : null;
  admission.check(payer, charge ?? (asked ? UNREAD : LEAST_CHARGE));
}

/** Besides the gate, the documents that were read before. */
export interface DoorParts extends GateParts {
  readonly readDocument: DocumentReader;
}

/** A request as it came. */
export interface Asked {
  readonly query?: unknown;
  readonly operationName?: unknown;
  readonly variables?: unknown;
}

/** Anything costs at least this. */
export const LEAST_CHARGE: Charge = { cost: 1, varies: false, classes: new Map() };
/** A document that was never read has to be, and that costs this if it is refused. */
const UNREAD: Charge = { ...LEAST_CHARGE, cost: REFUSED_COST };

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
async function remembering<T>(operation: Operation, admitted: Promise<T>): Promise<T> {
  try {
    return await admitted;
  } catch (error) {
    if (error instanceof RateLimited) {
      operation.refusal = error;
      operation.buckets = error.about.buckets ?? [];
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

/** Codes of an answer that was worked for and is not sent. */
const LOST_ANSWERS: ReadonlySet<ErrorCode> = new Set(["DEADLINE_EXCEEDED", "PAYLOAD_TOO_LARGE"]);

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

  /** Settles by the answer; null when there is none. What ran out of time or bytes has done its work, so it costs what was asked for. */
  settle(result: ExecutionResult | null): BucketStatus | undefined {
    const isLost = result?.errors?.some((error) => LOST_ANSWERS.has(codeOf(error)) && !error.path) ?? false;
    const { requested } = this.cost;
    const actual = isLost ? requested : this.cost.actual(result?.data);
    const bucket = this.paid.settle(actual);
    if (bucket) {
      const { limit, remaining, restorePerSecond } = bucket;
      this.report = { requested, actual, limit, remaining, restorePerSecond };
    }
    return bucket;
  }
}
