/** Limits attempts to sign in, before any look-up or hashing. */
import { randomUUID } from "node:crypto";
import { RateLimited } from "../../domain/errors.js";
import { SECOND } from "../../domain/time/time.js";
import type { Attempt, Attempts, Hold } from "../../redis/attempts/attempts.js";

/**
 * An attempt that was let in. It counts as a failure
 * until it is marked as right.
 */
export interface Admitted {
  right(): Promise<void>;
}

/**
 * All methods throw RateLimited, and RedisUnavailable
 * without Redis: no attempt goes uncounted.
 */
export interface SignInGuard {
  /**
   * An attempt at an account, which may not exist;
   * `sessionId` where the caller is signed in to it.
   */
  signIn(attempt: Omit<Attempt, "id">): Promise<Admitted>;
  /** An attempt to make an account. */
  signUp(ip: string): Promise<void>;
}

/** What attempts report. */
export interface SignInTelemetry {
  /** Outcomes: "let in" or "refused by <bucket>", then "right" where it was. */
  signIn(what: "sign-in" | "sign-up", outcome: string): void;
}

export function createSignInGuard(attempts: Attempts, telemetry: SignInTelemetry): SignInGuard {
  const admit = (what: "sign-in" | "sign-up", hold: Hold | null): void => {
    telemetry.signIn(what, hold ? `refused by ${hold.bucket}` : "let in");
    if (!hold) return;
    const seconds = Math.ceil(hold.waitMs / SECOND);
    throw new RateLimited(
      `Too many attempts. Try again in ${seconds} second${seconds === 1 ? "" : "s"}.`,
      hold.waitMs,
    );
  };
  return {
    async signIn(about) {
      const attempt = { ...about, id: randomUUID() };
      admit("sign-in", await attempts.signIn(attempt));
      return {
        async right() {
          await attempts.forgive(attempt);
          telemetry.signIn("sign-in", "right");
        },
      };
    },
    async signUp(ip) {
      admit("sign-up", await attempts.signUp({ id: randomUUID(), ip }));
    },
  };
}
