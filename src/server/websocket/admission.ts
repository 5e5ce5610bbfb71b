/**
 * How a WebSocket is let in, and what is refused of it before it is read: the small print of
 * operations.ts.
 */
import { RateLimited } from "../../domain/errors.js";
import type { Admission } from "../../services/rate-limit/admission.js";
import {
  type Asked,
  type DoorParts,
  LEAST_CHARGE,
  payerOf,
  refuseAtTheDoor,
} from "../operation/admission.js";
import { type Caller, type ClaimedCaller, identify, type Operation } from "../operation/context.js";

/**
 * Who a socket is for, at the price of the cheapest operation. Throws Unauthenticated and
 * RateLimited.
 */
export async function callerOfSocket(
  admission: Admission,
  claimed: ClaimedCaller,
): Promise<Caller> {
  const payer = admission.payerOf(claimed.claim);
  if (admission.isTight(payer)) admission.check(payer, LEAST_CHARGE);
  const { principal, paid } = await admission.admit(claimed.claim, LEAST_CHARGE);
  if (!paid) admission.chargeRefused(admission.payerOf(claimed.claim), 0);
  return identify(claimed, principal);
}

/** Refuses without reading what is certain to be refused. Throws RateLimited. */
export function refuseOperation(parts: DoorParts, operation: Operation, asked: Asked | null): void {
  try {
    refuseAtTheDoor(parts, payerOf(parts.admission, operation), asked);
  } catch (error) {
    if (error instanceof RateLimited) operation.refusal = error;
    throw error;
  }
}

/** An operation that was refused for what it is has been read all the same. */
export function chargeIfRefused(
  { admission, readDocument }: DoorParts,
  operation: Operation,
  query: string,
): void {
  if (!operation.hasPaid && !operation.refusal)
    admission.chargeRefused(payerOf(admission, operation), readDocument.takePriceOf(query));
}
