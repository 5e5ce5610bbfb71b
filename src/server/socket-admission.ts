/** How a WebSocket is let in, and what is refused of it before it is read: the small print of socket-operations.ts. */
import { RateLimited } from "../domain/errors.js";
import type { Admission } from "../services/admission.js";
import { type Caller, type ClaimedCaller, identify, type Operation } from "./context.js";
import type { DocumentReader } from "./documents.js";
import { LEAST_CHARGE, payerOf, unreadCharge } from "./gate.js";

/** Who a socket is for, at the price of the cheapest operation. Throws Unauthenticated and RateLimited. */
export async function callerOfSocket(admission: Admission, claimed: ClaimedCaller): Promise<Caller> {
  const payer = admission.payerOf(claimed.claim);
  if (admission.isTight(payer)) admission.check(payer, LEAST_CHARGE);
  const { principal } = await admission.admit(claimed.claim, LEAST_CHARGE);
  return identify(claimed, principal);
}

/** What stands at the door of a socket. */
interface DoorParts {
  readonly admission: Admission;
  readonly readDocument: DocumentReader;
}

/** Refuses without reading what is certain to be refused. @param query the document, once it is spelled out. Throws RateLimited. */
export function refuseAtTheDoor({ admission, readDocument }: DoorParts, operation: Operation, query?: string): void {
  const payer = payerOf(admission, operation);
  try {
    admission.check(payer, query !== undefined && admission.isTight(payer) ? unreadCharge(readDocument, query) : LEAST_CHARGE);
  } catch (error) {
    if (error instanceof RateLimited) operation.refusal = error;
    throw error;
  }
}

/** An operation that was refused for what it is has been read all the same. */
export function chargeIfRefused({ admission, readDocument }: DoorParts, operation: Operation, query: string): void {
  if (!operation.hasPaid && !operation.refusal) admission.chargeRefused(payerOf(admission, operation), readDocument.takePriceOf(query));
}
