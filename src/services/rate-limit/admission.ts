/**
 * Who asks, and whether they may: the session is looked up and the cost taken in one round trip,
 * once it is known what is asked. On a Cluster that is one write to each node that holds one of the
 * two.
 *
 * A cost is never taken from somebody on the mere word of a request. Who a token belongs to is
 * known before it is looked up only where this process has looked it up before, so whoever shows it
 * is, or was, them; if the session has ended meanwhile, the cost is given back and taken from the
 * address. A token that is new here is looked up first, which costs a second round trip, once per
 * process. Anybody without a session pays as their address.
 */
import { LRUCache } from "lru-cache";
import type { Principal } from "../../domain/account/principal.js";
import { addressBlock, addressHolder } from "../../domain/address.js";
import type { Authenticate } from "../account/authenticate.js";
import type { Credential, ReadCredential, SessionCredential } from "../account/credential.js";
import type { Charge, Limits, Paid, Payer } from "./limits.js";
import { createLocalLimiter } from "./local-limiter.js";

/** Who a request claims to come from: its credential, read once. */
export type Claim = Credential & ClaimOrigin;

interface ClaimOrigin {
  readonly ip: string;
  /**
   * Whether the request is refused when its token is not valid. One of `Authorization` is; a cookie
   * that has run out only means that no user is signed in.
   */
  readonly mustBeValid: boolean;
}

/** Lets requests in. */
export interface Admission {
  /** Recognises a token without a lookup. To be called once a request. */
  readonly readCredential: ReadCredential;
  /** Who pays, as far as it is known without asking. */
  payerOf(asker: Claim | Known): Payer;
  /** Whether anything was refused to them lately, so that {@link check} is worth asking. */
  recentlyRejected(payer: Payer): boolean;
  /** Refuses what is certain to be refused, without asking anybody. Throws RateLimited. */
  check(payer: Payer, charge: Charge): void;
  /**
   * Says who asks, and takes the cost; takes nothing when the request is to be refused for its
   * token. Rejects with RateLimited.
   */
  admit(
    claim: Claim,
    charge: Charge,
  ): Promise<{ readonly principal: Principal | "invalid"; readonly paid: Paid | null }>;
  /** The same for somebody who is known already, while `prove` finds out whether they still are. */
  admitAgain<T>(
    payer: Payer,
    charge: Charge,
    prove: () => Promise<T>,
  ): Promise<{ readonly proof: T; readonly paid: Paid }>;
  /**
   * Has them owe for a request that was refused for what it is, and for the reading of its
   * document. Waits for nothing.
   */
  chargeRefused(payer: Payer, reading: number): void;
  /**
   * Has them owe for the reading of a text or document, whatever they have left. Waits for nothing.
   */
  chargeReading(payer: Payer, reading: number): void;
}

/** Somebody who was let in before. */
export interface Known {
  readonly principal: Principal;
  readonly ip: string;
}

/** What admission takes. */
export interface AdmissionDeps {
  readonly authenticate: Authenticate;
  readonly readCredential: ReadCredential;
  readonly limits: Limits;
  /** Has everything that is sent in this turn leave together. */
  readonly together: <T>(send: () => T) => T;
}

/**
 * What a request costs that is refused for what it is: its document was parsed and checked all the
 * same.
 */
export const REFUSED_COST = 10;
const MAX_KNOWN_TOKENS = 20_000;
/**
 * Tokens that are new here and come from an address that has nothing left: so many are looked up
 * all the same, per process. Whoever is signed in is not kept out by what others ask from there,
 * and a flood of made-up tokens is not worth more of Redis than this.
 */
const LOOK_UPS = { burst: 50, perSecond: 10 };

export function createAdmission(parts: AdmissionDeps): Admission {
  const { authenticate, readCredential, limits, together } = parts;
  const known = new LRUCache<string, Payer>({ max: MAX_KNOWN_TOKENS });
  const admission: TokenAdmission = { ...parts, known };
  const lookUps = createLocalLimiter(() => performance.now());
  const payerOf = (asker: Claim | Known): Payer => {
    if ("principal" in asker) return payerFor(asker);
    const { ip } = asker;
    if (asker.kind === "none") return ofAddress(ip);
    if (asker.kind === "service") return SERVICE_PAYER;
    const payer = known.get(asker.digest);
    return payer ? { ...payer, block: addressBlock(ip) } : { ...ofAddress(ip), isUnverified: true };
  };
  return {
    readCredential,
    payerOf,
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
    async admitAgain(payer, charge, prove) {
      limits.check(payer, charge);
      const [proof, payment] = await together(async () => {
        const asked = [prove(), limits.charge(payer, charge)] as const;
        asked[1].catch(() => {});
        return [await asked[0], asked[1]] as const;
      });
      return { proof, paid: await payment };
    },
    chargeRefused: (payer, reading) => limits.owe(payer, REFUSED_COST + reading),
    chargeReading: (payer, reading) => limits.owe(payer, reading),
  };
}

/** What it takes to let somebody in who shows a token. */
interface TokenAdmission extends AdmissionDeps {
  /** Who has shown these tokens here, by their digests. */
  readonly known: LRUCache<string, Payer>;
}

type SessionClaim = SessionCredential & ClaimOrigin;

async function admitKnown(
  admission: TokenAdmission,
  claim: SessionClaim,
  payer: Payer,
  charge: Charge,
) {
  const { authenticate, limits, together, known } = admission;
  limits.check(payer, charge);
  const { principal, payment } = await together(async () => {
    // Whether it can be paid matters only once it is known who asks.
    const asked = [authenticate(claim), limits.charge(payer, { ...charge, varies: true })] as const;
    asked[1].catch(() => {});
    return { principal: await asked[0], payment: asked[1] };
  });
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
  // Somebody whom Redis cannot tell us of counts for themselves, under the name they show.
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
 * A token that is not valid names no user: the request is refused, or runs at its price for an
 * address.
 */
const payAsAddress = async (
  limits: Limits,
  { ip, mustBeValid }: ClaimOrigin,
  charge: Charge,
): Promise<Paid | null> => (mustBeValid ? null : limits.charge(ofAddress(ip), charge));

const SERVICE_PAYER: Payer = { kind: "service", name: "token", block: null };

const ofAddress = (ip: string): Payer => ({
  kind: "address",
  name: addressHolder(ip),
  block: addressBlock(ip),
});

/**
 * Whoever is signed in pays for themselves, wherever they ask from; a block of addresses pays for
 * everybody in it.
 */
function payerFor({ principal, ip }: Known): Payer {
  if (principal.kind === "service") return SERVICE_PAYER;
  return principal.kind === "user"
    ? { kind: "viewer", name: String(principal.userId), block: addressBlock(ip) }
    : ofAddress(ip);
}
