/**
 * Passwords: Argon2id, on the threads of libuv. At most
 * `concurrency` run at a time: each takes its memory,
 * and the threads have other work. A queue waits,
 * bounded by length and by age; beyond it, callers are
 * refused. Source: RFC 9106; OWASP's least parameters
 * (19 MiB, two passes, one lane).
 */
import { randomBytes } from "node:crypto";
import { type Algorithm, hash, verify } from "@node-rs/argon2";
import { BoundedQueue } from "../../domain/concurrency/bounded-queue.js";
import { ServiceUnavailable } from "../../domain/errors.js";
import { canonicalPassword } from "../../domain/text.js";
import { SECOND } from "../../domain/time/time.js";

export interface PasswordOptions {
  readonly memoryKib: number;
  readonly passes: number;
  /** Hashes worked out at once. */
  readonly concurrency: number;
  /** Callers that may wait for their turn. */
  readonly queue: number;
}

/**
 * Every method costs one Argon2id. Throws
 * ServiceUnavailable when the queue is full.
 */
export interface Passwords {
  hash(password: string): Promise<string>;
  /**
   * Whether the password belongs to the hash. Without a
   * hash the same work is done, and the answer is false.
   */
  matches(password: string, hash: string | null): Promise<boolean>;
  /** Whether a hash is weaker than configured. Costs nothing. */
  isWeak(hash: string): boolean;
}

/**
 * `Algorithm.Argon2id`: a const enum cannot be
 * imported from a single file.
 */
const ARGON2ID = 2 as Algorithm;

export function createPasswords({
  memoryKib,
  passes,
  concurrency,
  queue,
}: PasswordOptions): Passwords {
  const cost = { algorithm: ARGON2ID, memoryCost: memoryKib, timeCost: passes, parallelism: 1 };
  const inTurn = createTurns(concurrency, queue);
  // Compared with where there is no account: the hash of
  // a random secret.
  let made: Promise<string> | null = null;
  const nobodysHash = (): Promise<string> => {
    made ??= hash(randomBytes(32), cost);
    return made;
  };
  return {
    hash: (password) => inTurn(() => hash(canonicalPassword(password), cost)),
    async matches(password, known) {
      // Awaited in both cases: the first sign-in takes
      // as long with an account as without.
      const nobodys = await nobodysHash();
      return (
        (await inTurn(() => verify(known ?? nobodys, canonicalPassword(password)))) &&
        known !== null
      );
    },
    isWeak(known) {
      const [, memory = 0, time = 0] = /\$m=(\d+),t=(\d+),/.exec(known) ?? [];
      return Number(memory) < memoryKib || Number(time) < passes;
    },
  };
}

/** Longest wait for a turn; the caller is refused then. */
const MAX_QUEUE_WAIT_MS = 5 * SECOND;
const busy = () =>
  new ServiceUnavailable("Too many people are signing in right now. Try again in a moment.");

/**
 * Runs work at most `concurrency` at a time, first
 * come, first served.
 */
function createTurns(concurrency: number, queue: number) {
  interface Turn {
    begin(): void;
    refuse(error: unknown): void;
  }
  const waiting = new BoundedQueue<Turn>({
    maxLength: queue,
    maxWaitMs: MAX_QUEUE_WAIT_MS,
    refuse: (turn) => turn.refuse(busy()),
  });
  let running = 0;
  return async <T>(work: () => Promise<T>): Promise<T> => {
    if (running < concurrency) running += 1;
    else
      await new Promise<void>((begin, refuse) => {
        if (!waiting.push({ begin, refuse })) refuse(busy());
      });
    try {
      return await work();
    } finally {
      // The turn goes to the next one without being released.
      const [next] = waiting.take(1);
      if (next) next.begin();
      else running -= 1;
    }
  };
}
