import { Unauthenticated } from "./errors.js";

/** Who is asking. */
export type Principal =
  /** Nobody we know. */
  | { readonly kind: "anonymous" }
  /** Holder of the service token (`ADMIN_TOKEN`): may do what an admin may. */
  | { readonly kind: "service" };

export const ANONYMOUS: Principal = { kind: "anonymous" };
export const SERVICE: Principal = { kind: "service" };

/** Lets through who may do what an admin may. Throws Unauthenticated for nobody we know. */
export function requireAdmin(principal: Principal): void {
  if (principal.kind === "anonymous")
    throw new Unauthenticated("This needs an admin: send the service token as `Authorization: Bearer …`.");
}
