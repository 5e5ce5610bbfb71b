/** Admission of sockets and of their operations. */
import { RateLimited } from "../../domain/errors.js";
import type { Admission } from "../../services/rate-limit/admission.js";
import { MIN_CHARGE, payerOf, type RejectionDeps, rejectEarly } from "../operation/admission.js";
import { type Caller, type ClaimedCaller, identify } from "../operation/caller.js";
import type { Operation } from "../operation/operation.js";
import type { RawOperation } from "../operation/raw-operation.js";

/**
 * The caller of a socket, at the price of the cheapest operation.
 * Throws Unauthenticated and RateLimited.
 */
export async function authenticateSocket(
  admission: Admission,
  claimed: ClaimedCaller,
): Promise<Caller> {
  const payer = admission.payerOf(claimed.claim);
  if (admission.recentlyRejected(payer)) admission.check(payer, MIN_CHARGE);
  const { principal, paid } = await admission.admit(claimed.claim, MIN_CHARGE);
  if (!paid) admission.chargeRefused(admission.payerOf(claimed.claim), 0);
  return identify(claimed, principal);
}

/**
 * Rejects an operation unread where its rejection is certain.
 * Throws RateLimited.
 */
export function rejectSocketOperation(
  deps: RejectionDeps,
  operation: Operation,
  raw: RawOperation | null,
): void {
  try {
    rejectEarly(deps, payerOf(deps.admission, operation), raw);
  } catch (error) {
    if (error instanceof RateLimited) operation.refusal = error;
    throw error;
  }
}

/** A rejected operation still pays for its reading. */
export function chargeIfRefused(
  { admission, readDocument }: RejectionDeps,
  operation: Operation,
  query: string,
): void {
  if (!operation.hasPaid && !operation.refusal)
    admission.chargeRefused(payerOf(admission, operation), readDocument.takeReadingPriceOf(query));
}
