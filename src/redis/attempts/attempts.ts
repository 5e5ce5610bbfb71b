/**
 * Attempts to sign in and up: recent failures, so that
 * passwords cannot be guessed.
 *
 * One ZSET per bucket (attempt → when, Redis clock) with the
 * failures of one window. One script counts an attempt in all
 * buckets before its password is checked. So concurrent
 * attempts see each other. A right one is forgiven
 * afterwards. A refused attempt is counted nowhere, so
 * buckets stay bounded. Its caller names an attempt: a
 * repeated call counts once. All keys share a slot; the
 * Argon2id that follows costs a thousand times more.
 *
 * Accounts are named by a hash, whether they exist or not.
 * Redis down, or full: everything rejects with
 * RedisUnavailable, and sign-in is refused.
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

/** Free failures, and the waits after them. */
export interface AttemptRules {
  /**
   * A failure counts this long, and blocks an address this
   * long.
   */
  readonly windowMs: number;
  /** Free failures of one account from one place. */
  readonly placeFree: number;
  /** Free failures of one account from all unknown places. */
  readonly accountFree: number;
  /** The first wait; it doubles with each failure. */
  readonly delayMs: number;
  /** The longest wait; the window bounds it too. */
  readonly maxDelayMs: number;
  /**
   * Failures of one address, over all accounts, until it is
   * blocked.
   */
  readonly addressMax: number;
  /** Likewise for a network. */
  readonly networkMax: number;
  /** A place counts as known this long after a sign-in. */
  readonly knownMs: number;
  readonly signUp: {
    readonly windowMs: number;
    readonly addressMax: number;
    readonly networkMax: number;
  };
}

/** An attempt to prove an account. */
export interface Attempt {
  /** Names the attempt; unique. */
  readonly id: string;
  /** The account, by the one spelling of its address. */
  readonly account: string;
  readonly ip: string;
  /** The session that tries; absent at a sign-in. */
  readonly sessionId?: string;
}

export const BUCKETS = ["place", "account", "address", "network"] as const;

export type AttemptBucket = (typeof BUCKETS)[number];

/** Why an attempt has to wait, and how long. */
export interface Hold {
  readonly bucket: AttemptBucket;
  readonly waitMs: number;
}

/** All methods reject with RedisUnavailable. */
export type Attempts = ReturnType<typeof createAttempts>;

export function createAttempts({ connection, call }: RedisCaller, keys: Keys, rules: AttemptRules) {
  const { windowMs, delayMs, maxDelayMs, signUp } = rules;
  const perBucket = [
    [rules.placeFree, delayMs, maxDelayMs],
    [rules.accountFree, delayMs, maxDelayMs],
    [rules.addressMax, windowMs, windowMs],
    [rules.networkMax, windowMs, windowMs],
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
    /**
     * Counts an attempt at an account, unless it has to wait.
     * One EVALSHA.
     */
    async signIn(attempt: Attempt): Promise<Hold | null> {
      const signedIn = attempt.sessionId === undefined ? 0 : 1;
      const args = [attempt.id, windowMs, signedIn, ...perBucket];
      const reply = await call("sign-in", () =>
        connection.attemptsSignIn(...keysOf(attempt), ...args),
      );
      return toHold(reply, BUCKETS);
    },
    /**
     * The attempt was right: forgets the account's failures and
     * this attempt. One EVALSHA.
     */
    async forgive(attempt: Attempt): Promise<void> {
      const knownMs = attempt.sessionId === undefined ? rules.knownMs : 0;
      await call("forgive", () =>
        connection.attemptsForgive(...keysOf(attempt), attempt.id, knownMs),
      );
    },
    /**
     * Counts an attempt to make an account, unless it has to
     * wait. One EVALSHA.
     */
    async signUp({ id, ip }: Pick<Attempt, "id" | "ip">): Promise<Hold | null> {
      const [address, network] = [
        keys.attempts("sign-up", "address", addressHolder(ip)),
        keys.attempts("sign-up", "network", addressBlock(ip)),
      ];
      const bounds = [signUp.windowMs, signUp.addressMax, signUp.networkMax];
      const reply = await call("sign-up", () =>
        connection.attemptsSignUp(address, network, id, ...bounds),
      );
      return toHold(reply, ["address", "network"]);
    },
  };
}

const digest = (text: string): string => sha256(text, "base64url");

function toHold([at, waitMs]: [number, number], buckets: readonly AttemptBucket[]): Hold | null {
  const bucket = buckets[at - 1];
  return bucket === undefined ? null : { bucket, waitMs };
}
