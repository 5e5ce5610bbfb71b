/**
 * Admission: authenticates a request and charges its
 * cost in one round trip. On a Cluster that is one
 * write to each node concerned.
 *
 * No claim alone is charged to a user. A token verified
 * before by this process is charged to its user. Its session
 * is looked up meanwhile. If the session has ended, the cost
 * is refunded and charged to the address. A token that is
 * new here is looked up first: a second round trip, once per
 * process. Requests without a session are charged to their
 * address.
 */
import { LRUCache } from "lru-cache";
import type { Principal } from "../../domain/account/principal.js";
import { addressBlock, addressHolder } from "../../domain/address.js";
import { entriesUpTo } from "../../domain/concurrency/bounded-cache.js";
import type { Authenticate } from "../account/authenticate.js";
import type { Credential, ReadCredential, SessionCredential } from "../account/credential.js";
import type { Charge, Payer } from "./charge.js";
import type { Limits, Paid } from "./limits.js";
import { createLocalLimiter } from "./local-limiter.js";

/** The credential of a request, read once, and its origin. */
export type Claim = Credential & ClaimOrigin;

interface ClaimOrigin {
  readonly ip: string;
  /**
   * Whether an invalid token refuses the request. In
   * `Authorization` it does; an expired cookie only
   * means that no user is signed in.
   */
  readonly mustBeValid: boolean;
}

export interface Admission {
  /** Without a lookup; called once a request. */
  readonly readCredential: ReadCredential;
  /** Who pays, as far as known without a lookup. */
  payerOf(asker: Claim | Known): Payer;
  /**
   * The user of a token that was verified before; null
   * while the user is rate limited.
   */
  likelyUser(claim: Claim): number | null;
  /** Whether {@link check} may refuse. */
  recentlyRejected(payer: Payer): boolean;
  /** Throws RateLimited for a certain refusal. */
  check(payer: Payer, charge: Charge): void;
  /**
   * Authenticates, and takes the cost; takes nothing for
   * an invalid token that refuses the request. Rejects
   * with RateLimited.
   */
  admit(
    claim: Claim,
    charge: Charge,
  ): Promise<{ readonly principal: Principal | "invalid"; readonly paid: Paid | null }>;
  /**
   * The same at once, of an anonymous request with credit;
   * null where {@link admit} is needed.
   */
  admitAtOnce(claim: Claim, charge: Charge): Paid | null;
  /** The same for a known payer, while `prove` confirms it. */
  admitAgain<T>(
    payer: Payer,
    charge: Charge,
    prove: () => Promise<T>,
  ): Promise<{ readonly proof: T; readonly paid: Paid }>;
  /**
   * Charges an invalid request and the reading of its
   * document. Waits for nothing.
   */
  chargeRefused(payer: Payer, reading: number): void;
  /**
   * Charges the reading of a text or document, also to
   * an empty bucket. Waits for nothing.
   */
  chargeReading(payer: Payer, reading: number): void;
}

/** An authenticated caller. */
export interface Known {
  readonly principal: Principal;
  readonly ip: string;
}

export interface AdmissionDeps {
  readonly authenticate: Authenticate;
  readonly readCredential: ReadCredential;
  readonly limits: Limits;
}

/**
 * Cost of an invalid request: its document was parsed
 * and validated.
 */
export const REFUSED_COST = 10;
const MAX_KNOWN_TOKENS = 20_000;
const MAX_KNOWN_ADDRESSES = 10_000;
/**
 * Look-ups of new tokens from an address with an empty
 * bucket, per process. Signed-in users behind it get in. A
 * flood of made-up tokens costs Redis no more than this.
 */
const LOOK_UPS = { burst: 50, perSecond: 10 };

export function createAdmission(parts: AdmissionDeps): Admission {
  const { authenticate, readCredential, limits } = parts;
  const known = new LRUCache<string, Payer>(entriesUpTo(MAX_KNOWN_TOKENS));
  const admission: TokenAdmission = { ...parts, known };
  const lookUps = createLocalLimiter(() => performance.now());
  const payerOf = (asker: Claim | Known): Payer => {
    if ("principal" in asker) return payerFor(asker);
    const { ip } = asker;
    if (asker.kind === "none") return ofAddress(ip);
    if (asker.kind === "service") return SERVICE_PAYER;
    const payer = known.get(asker.digest);
    return payer
      ? { ...payer, block: ofAddress(ip).block }
      : { ...ofAddress(ip), isUnverified: true };
  };
  return {
    readCredential,
    payerOf,
    likelyUser(claim) {
      const payer = claim.kind === "session" ? known.get(claim.digest) : undefined;
      return payer && !limits.recentlyRejected(payer) ? Number(payer.name) : null;
    },
    recentlyRejected: (payer) => limits.recentlyRejected(payer),
    check(payer, charge) {
      if (
        payer.isUnverified &&
        !lookUps.consume([
          { bucket: { kind: "address", name: payer.name, rule: LOOK_UPS }, cost: 1 },
        ]).refused
      )
        return;
      limits.check(payer, charge);
    },
    async admit(claim, charge) {
      const payer = payerOf(claim);
      if (claim.kind !== "session")
        return { principal: await authenticate(claim), paid: await limits.charge(payer, charge) };
      return payer.kind === "viewer"
        ? admitKnown(admission, claim, payer, charge)
        : admitUnknown(admission, claim, charge);
    },
    admitAtOnce: (claim, charge) =>
      claim.kind === "none" ? limits.takeCredit(payerOf(claim), charge) : null,
    async admitAgain(payer, charge, prove) {
      limits.check(payer, charge);
      // Asked in one turn, so that both leave in one write.
      const [proof, payment] = [prove(), limits.charge(payer, charge)] as const;
      payment.catch(() => {});
      return { proof: await proof, paid: await payment };
    },
    chargeRefused: (payer, reading) => limits.owe(payer, REFUSED_COST + reading),
    chargeReading: (payer, reading) => limits.owe(payer, reading),
  };
}

interface TokenAdmission extends AdmissionDeps {
  /** Payers of verified tokens, by digest. */
  readonly known: LRUCache<string, Payer>;
}

type SessionClaim = SessionCredential & ClaimOrigin;

async function admitKnown(
  admission: TokenAdmission,
  claim: SessionClaim,
  payer: Payer,
  charge: Charge,
) {
  const { authenticate, limits, known } = admission;
  limits.check(payer, charge);
  // Asked in one turn, so that both leave in one write.
  const authenticated = authenticate(claim);
  const payment = limits.charge(payer, { ...charge, varies: true });
  // A refusal counts only once the caller is known.
  payment.catch(() => {});
  const principal = await authenticated;
  if (principal !== "invalid") return { principal, paid: await payment };
  known.delete(claim.digest);
  forgetToken(payment);
  return { principal, paid: await payAsAddress(limits, claim, charge) };
}

async function admitUnknown(
  { authenticate, limits, known }: TokenAdmission,
  claim: SessionClaim,
  charge: Charge,
) {
  const principal = await authenticate(claim);
  if (principal === "invalid")
    return { principal, paid: await payAsAddress(limits, claim, charge) };
  // Redis down: each token has a bucket of its own.
  const payer =
    principal.kind === "unknown"
      ? { ...ofAddress(claim.ip), name: claim.digest }
      : payerFor({ principal, ip: claim.ip });
  if (payer.kind === "viewer") known.set(claim.digest, payer);
  return { principal, paid: await limits.charge(payer, charge) };
}

const forgetToken = (payment: Promise<Paid>): void =>
  void payment.then(({ settle }) => settle(0)).catch(() => {});

/**
 * An invalid token names no user: the request is
 * refused, or charged to its address.
 */
const payAsAddress = async (
  limits: Limits,
  { ip, mustBeValid }: ClaimOrigin,
  charge: Charge,
): Promise<Paid | null> => (mustBeValid ? null : limits.charge(ofAddress(ip), charge));

const SERVICE_PAYER: Payer = { kind: "service", name: "token", block: null };

/** Payers by address: parsing one costs more than a look-up. */
const addressPayers = new LRUCache<string, Payer>(entriesUpTo(MAX_KNOWN_ADDRESSES));

function ofAddress(ip: string): Payer {
  let payer = addressPayers.get(ip);
  if (!payer) {
    payer = { kind: "address", name: addressHolder(ip), block: addressBlock(ip) };
    addressPayers.set(ip, payer);
  }
  return payer;
}

/**
 * A user pays from one bucket at any address. Its
 * block of addresses pays too.
 */
function payerFor({ principal, ip }: Known): Payer {
  if (principal.kind === "service") return SERVICE_PAYER;
  return principal.kind === "user"
    ? { kind: "viewer", name: String(principal.userId), block: ofAddress(ip).block }
    : ofAddress(ip);
}
