/**
 * Attempts to sign in and up: how often somebody has failed lately, so that nobody guesses on.
 *
 * One ZSET per bucket (attempt → when, Redis clock) that holds the failures of one window and goes
 * with it. An attempt is counted before its password is looked at, in all buckets by one script,
 * and forgiven when it was right: what runs at the same time is counted by then. One that is
 * refused is counted nowhere, so a bucket holds no more than was let in. An attempt is named by its
 * caller: a repeated call counts once. All keys share a slot; each attempt is followed by an
 * Argon2id, which is a thousand times the work.
 *
 * Accounts are named by a hash, whether they exist or not. Redis down, or full: everything rejects
 * with RedisUnavailable, and nobody signs in.
 */
import type { Result } from "ioredis";
import { addressBlock, addressHolder } from "../../domain/address.js";
import { sha256 } from "../../domain/hash.js";
import type { RedisCaller } from "../client/call.js";
import type { Keys } from "../client/keys.js";

declare module "ioredis" {
  interface RedisCommander<Context> {
    attemptsSignIn(...keysAndArgs: (string | number)[]): Result<[number, number], Context>;
    attemptsForgive(...keysAndArgs: (string | number)[]): Result<1, Context>;
    attemptsSignUp(
      address: string,
      network: string,
      id: string,
      ...args: number[]
    ): Result<[number, number], Context>;
  }
}

/** How many failures are free, and how long is waited after more. */
export interface AttemptRules {
  /** How long a failure counts, and how long an address with too many is blocked. */
  readonly windowMs: number;
  /** Failures to one account from one place before they have to wait. */
  readonly placeFree: number;
  /** Failures to one account from all places that it does not know, before they have to wait. */
  readonly accountFree: number;
  /** The first wait; it doubles with each failure. */
  readonly delayMs: number;
  /** The longest wait; the window bounds it too. */
  readonly delayMostMs: number;
  /** Failures of one address, to any accounts, until it is blocked. */
  readonly addressMost: number;
  /** The same of a network. */
  readonly networkMost: number;
  /** How long an account knows a place that it signed in from. */
  readonly knownMs: number;
  readonly signUp: {
    readonly windowMs: number;
    readonly addressMost: number;
    readonly networkMost: number;
  };
}

/** An attempt to prove that an account is one's own. */
export interface Attempt {
  /** Names the attempt; unique. */
  readonly id: string;
  /** The account, by the one spelling of its address. */
  readonly account: string;
  readonly ip: string;
  /** The session that tries; none when somebody signs in. */
  readonly sessionId?: string;
}

/** What refuses an attempt. */
export const BUCKETS = ["place", "account", "address", "network"] as const;

/** One of {@link BUCKETS}. */
export type Bucket = (typeof BUCKETS)[number];

/** Why an attempt has to wait, and how long. */
export interface Hold {
  readonly bucket: Bucket;
  readonly waitMs: number;
}

/** What is known of attempts. All methods reject with RedisUnavailable. */
export type Attempts = ReturnType<typeof createAttempts>;

export function createAttempts({ connection, call }: RedisCaller, keys: Keys, rules: AttemptRules) {
  const { windowMs, delayMs, delayMostMs, signUp } = rules;
  const perBucket = [
    [rules.placeFree, delayMs, delayMostMs],
    [rules.accountFree, delayMs, delayMostMs],
    [rules.addressMost, windowMs, windowMs],
    [rules.networkMost, windowMs, windowMs],
  ].flat();
  const keysOf = ({ account, ip, sessionId }: Attempt): string[] => {
    const place = digest(`${account}\n${sessionId ?? addressHolder(ip)}`);
    return [
      keys.attempts("sign-in", "place", place),
      keys.attempts("sign-in", "account", digest(account)),
      keys.attempts("sign-in", "address", addressHolder(ip)),
      keys.attempts("sign-in", "network", addressBlock(ip)),
      keys.attemptsKnown(place),
    ];
  };
  return {
    /** Counts an attempt at an account, unless it has to wait. One EVALSHA. */
    async signIn(attempt: Attempt): Promise<Hold | null> {
      const signedIn = attempt.sessionId === undefined ? 0 : 1;
      const args = [attempt.id, windowMs, signedIn, ...perBucket];
      const reply = await call("sign-in", () =>
        connection.attemptsSignIn(...keysOf(attempt), ...args),
      );
      return toHold(reply, BUCKETS);
    },
    /**
     * The attempt was right: forgets the account's failures, and that this one counted as a
     * failure. One EVALSHA.
     */
    async forgive(attempt: Attempt): Promise<void> {
      const knownMs = attempt.sessionId === undefined ? rules.knownMs : 0;
      await call("forgive", () =>
        connection.attemptsForgive(...keysOf(attempt), attempt.id, knownMs),
      );
    },
    /** Counts an attempt to make an account, unless it has to wait. One EVALSHA. */
    async signUp({ id, ip }: Pick<Attempt, "id" | "ip">): Promise<Hold | null> {
      const [address, network] = [
        keys.attempts("sign-up", "address", addressHolder(ip)),
        keys.attempts("sign-up", "network", addressBlock(ip)),
      ];
      const bounds = [signUp.windowMs, signUp.addressMost, signUp.networkMost];
      const reply = await call("sign-up", () =>
        connection.attemptsSignUp(address, network, id, ...bounds),
      );
      return toHold(reply, ["address", "network"]);
    },
  };
}

const digest = (text: string): string => sha256(text, "base64url");

function toHold([at, waitMs]: [number, number], buckets: readonly Bucket[]): Hold | null {
  const bucket = buckets[at - 1];
  return bucket === undefined ? null : { bucket, waitMs };
}
