import type { DocumentNode } from "graphql";
import { RateLimited } from "../../domain/errors.js";
import { NO_TOKEN } from "../../domain/reading/consistency-token.js";
import type { Admission } from "../../services/rate-limit/admission.js";
import type { Charge, Payer } from "../../services/rate-limit/charge.js";
import type { CheckCost, Cost, PreparedOperation } from "../cost/cost.js";
import { textPrice } from "../cost/document-price.js";
import { InvalidInput } from "../cost/input.js";
import { OperationPayment } from "../cost/payment.js";
import { type Caller, type ClaimedCaller, identify } from "./caller.js";
import type { DocumentReader } from "./documents.js";
import type { Operation } from "./operation.js";
import { type RawOperation, wellFormed } from "./raw-operation.js";

export interface AdmissionDeps {
  readonly checkCost: CheckCost;
  readonly admission: Admission;
  readonly readDocument: DocumentReader;
  /** Whether the caller's reads bypass the cache now. */
  readsPastCache(caller: Caller): boolean;
  /** Maximum cost of an operation: the size of every bucket. */
  readonly largest: number;
}

/** Work of a Postgres read over a cache read (decision 0114). */
const PAST_CACHE_FACTOR = 10;

/**
 * The cost for this caller: reads that bypass the cache cost
 * more.
 */
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
 * Admits an operation of a request, or notes on it why not: its
 * rejection, or the errors of its input.
 */
export async function admitRequest(
  deps: AdmissionDeps,
  operation: Operation,
  claimed: ClaimedCaller,
  priced: PreparedOperation,
): Promise<void> {
  try {
    await admit(deps, operation, claimed, priced);
  } catch (error) {
    if (error instanceof InvalidInput) operation.invalid = error.errors;
    else operation.rejection = error;
  }
}

/**
 * Throws InvalidInput, OperationTooComplex, RateLimited and
 * Unauthenticated.
 */
async function admit(
  deps: AdmissionDeps,
  operation: Operation,
  claimed: ClaimedCaller,
  priced: PreparedOperation,
): Promise<void> {
  const { admission } = deps;
  const cost = priceFor(deps, claimed.caller, priced);
  // Execution rejects a document without such an operation.
  if (!cost) return;
  const admitted = recordingRefusal(operation, admission.admit(claimed.claim, chargeOf(cost)));
  // Called afterwards: admission may know the token by then.
  const { principal, paid } = await withReadingCharged(deps, priced.document, admitted, () =>
    admission.payerOf(claimed.claim),
  );
  operation.caller = identify(claimed, principal);
  if (paid) operation.recordPayment(new OperationPayment(cost, paid));
}

/**
 * Admits a query whose answer is stored. Its cost is known, so
 * it is held only where the answer may prove outdated. Throws
 * RateLimited and Unauthenticated.
 */
export async function admitStored(
  { admission, readDocument }: AdmissionDeps,
  operation: Operation,
  claimed: ClaimedCaller,
  { document, cost, mayBeGivenBack }: StoredCharge,
): Promise<void> {
  // Credit may end before it is known what to give back.
  const charge = { ...storedCharge(cost), varies: mayBeGivenBack, takesCredit: !mayBeGivenBack };
  const admitted = recordingRefusal(operation, admission.admit(claimed.claim, charge));
  const { principal, paid } = await withReadingCharged(
    { admission, readDocument },
    document,
    admitted,
    () => admission.payerOf(claimed.claim),
  );
  operation.caller = identify(claimed, principal);
  if (paid) operation.recordPayment(new OperationPayment(knownCost(cost), paid));
}

interface StoredCharge {
  readonly document: DocumentNode;
  readonly cost: KnownCost;
  readonly mayBeGivenBack: boolean;
}

/** The cost of an answer that was given before. */
export interface KnownCost {
  readonly requested: number;
  readonly actual: number;
}

/** Its cost is known. */
export const storedCharge = ({ actual }: KnownCost): Charge => ({
  cost: actual,
  varies: false,
  classes: new Map(),
  takesCredit: true,
});

const knownCost = ({ requested, actual }: KnownCost) => ({ requested, actual: () => actual });

/**
 * Admits an operation of a socket, while `prove` confirms its
 * session; false when that has ended. Throws the same.
 */
export async function admitSocketOperation(
  deps: AdmissionDeps,
  operation: Operation,
  priced: PreparedOperation,
  prove: () => Promise<Caller | null>,
): Promise<boolean> {
  const { admission } = deps;
  const { caller } = operation;
  // No message bypasses the cache for a token.
  const cost = priceFor(
    deps,
    operation.kind === "subscription" ? { ...caller, seen: NO_TOKEN } : caller,
    priced,
  );
  if (!cost) return true;
  // It pays for its first values; later ones use the allowance
  // (connection/message-allowance.ts).
  const charge =
    operation.kind === "subscription" ? { ...chargeOf(cost), varies: false } : chargeOf(cost);
  const payer = payerOf(admission, operation);
  const admitted = recordingRefusal(operation, admission.admitAgain(payer, charge, prove));
  const { proof, paid } = await withReadingCharged(deps, priced.document, admitted, () => payer);
  operation.recordPayment(new OperationPayment(cost, paid));
  if (proof) operation.caller = proof;
  return proof !== null;
}

/**
 * Charges for reading a new document, however its admission ends.
 * The bucket needs no room for it: a first run is as affordable
 * as a repeated one.
 */
async function withReadingCharged<T>(
  { admission, readDocument }: Pick<AdmissionDeps, "admission" | "readDocument">,
  document: DocumentNode,
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

/** The payer of a socket's operation. */
export const payerOf = (
  admission: Admission,
  { caller: { principal, client } }: Pick<Operation, "caller">,
): Payer => admission.payerOf({ principal, ip: client.ip });

/**
 * Rejects a request unread where its rejection is certain. So a
 * flood costs neither parsing nor Redis. A known document counts
 * with its cost, any other with 1. Throws RateLimited.
 */
export function rejectEarly(
  { checkCost, admission, readDocument }: RejectionDeps,
  payer: Payer,
  raw: RawOperation | null,
  stored: KnownCost | null = null,
): void {
  // Unverified tokens skip this check once; their own bucket may
  // have room.
  if (!admission.recentlyRejected(payer) || (payer.isUnverified && raw)) return;
  const charge = stored ? storedCharge(stored) : raw && priceOf(checkCost, readDocument, raw);
  admission.check(payer, charge ?? MIN_CHARGE);
}

/**
 * Charges for a text before it is parsed: unused values cost time
 * too.
 */
export function chargeText(
  admission: Pick<Admission, "chargeReading">,
  payer: Payer,
  bytes: number,
): void {
  const price = textPrice(bytes);
  if (price > 0) admission.chargeReading(payer, price);
}

/**
 * The same for a message of a socket. With an empty bucket no
 * more is charged, and its operation is rejected.
 */
export function chargeMessage(
  admission: Pick<Admission, "chargeReading" | "recentlyRejected" | "check">,
  payer: Payer,
  bytes: number,
): void {
  try {
    if (admission.recentlyRejected(payer)) admission.check(payer, MIN_CHARGE);
  } catch (error) {
    if (error instanceof RateLimited) return;
    throw error;
  }
  chargeText(admission, payer, bytes);
}

export type RejectionDeps = Pick<AdmissionDeps, "checkCost" | "admission" | "readDocument">;

/** The lowest charge. */
export const MIN_CHARGE: Charge = { cost: 1, varies: false, classes: new Map() };

/** The charge of an operation whose document is known. */
function priceOf(
  checkCost: CheckCost,
  readDocument: DocumentReader,
  raw: RawOperation,
): Charge | undefined {
  const operation = wellFormed(raw);
  const document = operation ? readDocument.known(operation.query) : undefined;
  return operation && document ? knownCharge(checkCost, { ...operation, document }) : undefined;
}

/** The charge of an operation; undefined where it fails otherwise. */
function knownCharge(checkCost: CheckCost, priced: PreparedOperation): Charge | undefined {
  try {
    const cost = checkCost(priced);
    return cost ? chargeOf(cost) : undefined;
  } catch {
    return undefined;
  }
}

const chargeOf = ({ requested, varies, classes }: Cost): Charge => ({
  cost: requested,
  varies,
  classes,
  takesCredit: !varies && classes.size === 0,
});

/** A rejection reports the buckets, as an answer does. */
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
