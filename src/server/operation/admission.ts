import { RateLimited } from "../../domain/errors.js";
import { NOTHING_SEEN } from "../../domain/seen.js";
import type { Admission } from "../../services/rate-limit/admission.js";
import type { Charge, Payer } from "../../services/rate-limit/limits.js";
import { type Caller, type ClaimedCaller, identify, type Operation } from "./context.js";
import type { CheckCost, Cost, PreparedOperation } from "./cost.js";
import { textPrice } from "./document-price.js";
import { isRecord } from "./document-request.js";
import type { DocumentReader } from "./documents.js";
import { Payment } from "./payment.js";

/** What it is made of. */
export interface AdmissionDeps {
  readonly checkCost: CheckCost;
  readonly admission: Admission;
  readonly readDocument: DocumentReader;
  /** Whether a caller's reads go past the cache now. */
  readsPastCache(caller: Caller): boolean;
  /** What one operation may cost: every bucket holds as much. */
  readonly largest: number;
}

/** What a read of Postgres takes beside one of the cache; measured, see decision 0114. */
const PAST_CACHE_FACTOR = 10;

/** What an operation costs its caller: reads that go past the cache cost more. */
function priceFor(
  { checkCost, readsPastCache, largest }: AdmissionDeps,
  caller: Caller,
  priced: PreparedOperation,
): Cost | null {
  const cost = checkCost(priced);
  if (!cost || !readsPastCache(caller)) return cost;
  const pastCache = (units: number): number =>
    Math.max(units, Math.min(units * PAST_CACHE_FACTOR, largest));
  return {
    ...cost,
    requested: pastCache(cost.requested),
    actual: (data, errors) => pastCache(cost.actual(data, errors)),
  };
}

/**
 * Lets an operation of a request in. Throws InvalidInput, OperationTooComplex, RateLimited and
 * Unauthenticated.
 */
export async function admitRequest(
  deps: AdmissionDeps,
  operation: Operation,
  claimed: ClaimedCaller,
  priced: PreparedOperation,
): Promise<void> {
  const { admission } = deps;
  const cost = priceFor(deps, claimed.caller, priced);
  // A document without such an operation is execution's to refuse.
  if (!cost) return;
  const admitted = recordingRefusal(operation, admission.admit(claimed.claim, chargeOf(cost)));
  // Whose token it is may be known better afterwards.
  const { principal, paid } = await withReadingCharged(deps, priced, admitted, () =>
    admission.payerOf(claimed.claim),
  );
  operation.caller = identify(claimed, principal);
  if (paid) operation.recordPayment(new Payment(cost, paid));
}

/**
 * Lets an operation of a socket in, while `prove` looks up whether it may still speak for its
 * caller; false when it may not. Throws the same.
 */
export async function admitSocketOperation(
  deps: AdmissionDeps,
  operation: Operation,
  priced: PreparedOperation,
  prove: () => Promise<Caller | null>,
): Promise<boolean> {
  const { admission } = deps;
  const { caller } = operation;
  // No message heeds the order of a token to read past the cache.
  const cost = priceFor(
    deps,
    operation.kind === "subscription" ? { ...caller, seen: NOTHING_SEEN } : caller,
    priced,
  );
  if (!cost) return true;
  // Its first values are its cost; what follows is taken from the allowance of its caller
  // (connection/message-allowance.ts).
  const charge =
    operation.kind === "subscription" ? { ...chargeOf(cost), varies: false } : chargeOf(cost);
  const payer = payerOf(admission, operation);
  const admitted = recordingRefusal(operation, admission.admitAgain(payer, charge, prove));
  const { proof, paid } = await withReadingCharged(deps, priced, admitted, () => payer);
  operation.recordPayment(new Payment(cost, paid));
  if (proof) operation.caller = proof;
  return proof !== null;
}

/**
 * Has the reading of a new document owed once it was tried to let its operation in, whatever came
 * of it. A bucket needs no room for it, so a document does not cost more to begin with than to
 * repeat.
 */
async function withReadingCharged<T>(
  { admission, readDocument }: AdmissionDeps,
  { document }: PreparedOperation,
  admitted: Promise<T>,
  payer: () => Payer,
): Promise<T> {
  const reading = readDocument.takeReadingPrice(document);
  try {
    return await admitted;
  } finally {
    if (reading > 0) admission.chargeReading(payer(), reading);
  }
}

/** Who pays for an operation of a socket. */
export const payerOf = (
  admission: Admission,
  { caller: { principal, client } }: Pick<Operation, "caller">,
): Payer => admission.payerOf({ principal, ip: client.ip });

/**
 * Refuses without reading what is certain to be refused: a flood costs neither parsing nor Redis. A
 * document that was read before has its own cost; any other costs at least 1, and what is in the
 * bucket may be spent. Throws RateLimited.
 */
export function rejectEarly(
  { checkCost, admission, readDocument }: RejectionDeps,
  payer: Payer,
  raw: RawOperation | null,
): void {
  // A token that is new here may have a bucket of its own: it skips this check once.
  if (!admission.isTight(payer) || (payer.isGuess && raw)) return;
  const document = raw && typeof raw.query === "string" ? readDocument.known(raw.query) : undefined;
  const charge =
    document && raw ? knownCharge(checkCost, { document, ...readPriced(raw) }) : undefined;
  admission.check(payer, charge ?? MIN_CHARGE);
}

/** Has a text owed before it is parsed: values cost time whether an operation uses them or not. */
export function chargeText(
  admission: Pick<Admission, "chargeReading">,
  payer: Payer,
  bytes: number,
): void {
  const price = textPrice(bytes);
  if (price > 0) admission.chargeReading(payer, price);
}

/**
 * The same for a message of a socket, which comes whatever is left: once there is nothing, no more
 * is owed, and what the message asks for is refused.
 */
export function chargeMessage(
  admission: Pick<Admission, "chargeReading" | "isTight" | "check">,
  payer: Payer,
  bytes: number,
): void {
  try {
    if (admission.isTight(payer)) admission.check(payer, MIN_CHARGE);
  } catch (error) {
    if (error instanceof RateLimited) return;
    throw error;
  }
  chargeText(admission, payer, bytes);
}

/** What is looked at before anything is read. */
export type RejectionDeps = Pick<AdmissionDeps, "checkCost" | "admission" | "readDocument">;

/** A request as it came. */
export interface RawOperation {
  readonly query?: unknown;
  readonly operationName?: unknown;
  readonly variables?: unknown;
}

/** Anything costs at least this. */
export const MIN_CHARGE: Charge = { cost: 1, varies: false, classes: new Map() };

/** The charge of an operation; undefined where it will be refused for something else. */
function knownCharge(checkCost: CheckCost, priced: PreparedOperation): Charge | undefined {
  try {
    const cost = checkCost(priced);
    return cost ? chargeOf(cost) : undefined;
  } catch {
    return undefined;
  }
}

const readPriced = ({
  operationName,
  variables,
}: RawOperation): Pick<PreparedOperation, "operationName" | "variables"> => ({
  operationName: typeof operationName === "string" ? operationName : null,
  variables: isRecord(variables) ? variables : null,
});

const chargeOf = ({ requested, varies, classes }: Cost): Charge => ({
  cost: requested,
  varies,
  classes,
});

/** A refusal tells how the buckets stand, as an answer does. */
async function recordingRefusal<T>(operation: Operation, admitted: Promise<T>): Promise<T> {
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
