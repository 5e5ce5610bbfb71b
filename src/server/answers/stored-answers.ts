/**
 * Answers to repeated public queries, as bytes, in this
 * process. An equal query is not executed again.
 *
 * The second asking within a minute stores an answer. So a
 * flood of distinct queries stores nothing. The answer ends
 * with the first of its tags that changes. It also ends when
 * one of its values is no longer fresh. It is not for clients
 * that have seen newer writes than this process. Bounded in
 * bytes, by LRU.
 */
import { LRUCache } from "lru-cache";
import { entriesUpTo } from "../../domain/concurrency/bounded-cache.js";
import type {
  AnswerTags,
  AnswerTrace,
  StoreRefusal,
  TraceAnswer,
} from "../../domain/reading/answer-tags.js";
import type { ConsistencyToken } from "../../domain/reading/consistency-token.js";
import { MINUTE, SECOND } from "../../domain/time/time.js";
import { AskedLately } from "./asked-lately.js";
import { compress } from "./compress.js";
import { type Coding, StoredAnswer, type StoredCost } from "./stored-answer.js";

/** What an execution has to say when it ends. */
export interface Executed<Data = string> {
  /** `{"data":…`, without the closing brace. */
  readonly data: Data;
  readonly cost: StoredCost;
}

/** The execution of an answer that is to be stored. */
export interface Recording {
  readonly trace: AnswerTrace;
  /**
   * Call once. Null: it failed, or is no answer of its own.
   * Returns what was stored, or "changed" where something that
   * was read has changed meanwhile.
   */
  end(executed: Executed | null): StoredAnswer | "changed" | null;
}

/**
 * "hit", "stored", "evicted", whether a coding was kept, or why
 * an answer was not stored.
 */
export type StoredOutcome =
  | "hit"
  | "stored"
  | "evicted"
  | "coded"
  | "not coded"
  | "too large"
  | "full"
  | "failed"
  | StoreRefusal;

export interface StoredAnswersDeps {
  readonly trace: TraceAnswer;
  readonly count: (outcome: StoredOutcome) => void;
}

/** Share of the store that one answer may take. */
const MAX_SHARE = 1 / 64;
/** A small store takes answers of this size. */
const SMALL_BYTES = 64 * 1024;
/** Smaller answers fit one packet either way. */
const MIN_CODED_BYTES = 1_024;
const CODED_ASKS = 3;
/** Half of the threads of the pool. */
const MAX_COMPRESSING = 2;
/** Share of a full store that may be replaced in a minute. */
const REPLACED_SHARE = 1 / 8;
/** What will not be otherwise the next time. */
const LASTING: ReadonlySet<StoredOutcome> = new Set([
  "too large",
  "failed",
  "tags",
  "uncached",
  "untagged",
]);
/** How long a key is not recorded again after such an outcome. */
const LASTING_MS = 10 * SECOND;
const MAX_LASTING = 10_000;

export class StoredAnswers {
  private readonly asked = new AskedLately(() => performance.now());
  private readonly recordings = new Map<string, Promise<void>>();
  private readonly answers: LRUCache<string, StoredAnswer>;
  /** Keys that were not stored, and will not be. */
  private readonly refused = new LRUCache<string, true>({
    ...entriesUpTo(MAX_LASTING),
    ttl: LASTING_MS,
  });
  /** Answers that are being compressed, by what they have in all codings. */
  private readonly compressing = new Set<AnswerTags>();
  private readonly maxAnswerBytes: number;
  private replaced = { bytes: 0, sinceMs: performance.now() };

  /** @param maxBytes 0 stores nothing */
  constructor(
    private readonly deps: StoredAnswersDeps,
    private readonly maxBytes: number,
  ) {
    const largest = Math.min(maxBytes, Math.max(maxBytes * MAX_SHARE, SMALL_BYTES));
    this.maxAnswerBytes = Math.max(1, largest);
    this.answers = new LRUCache({
      maxSize: Math.max(1, maxBytes),
      maxEntrySize: this.maxAnswerBytes,
      sizeCalculation: (answer, key) => answer.sizeUnder(key),
      dispose: ({ tags }, _key, reason) => {
        tags.release();
        if (reason === "evict") deps.count("evicted");
      },
    });
  }

  /** What the store holds now. */
  get size(): { readonly answers: number; readonly bytes: number } {
    return { answers: this.answers.size, bytes: this.answers.calculatedSize };
  }

  /** An answer that this client may have. */
  find(key: string, seen: ConsistencyToken): StoredAnswer | null {
    const found = this.answers.get(key);
    if (!found) return null;
    const verdict = found.tags.judge(seen.count);
    if (verdict === "outdated") {
      this.answers.delete(key);
      // It was asked for until now: the next one is recorded.
      this.asked.note(key);
    }
    if (verdict !== "current") return null;
    this.deps.count("hit");
    return found;
  }

  /** An answer that may be sent once it is confirmed. */
  findUnconfirmed(key: string): StoredAnswer | null {
    const found = this.answers.get(key);
    return found?.tags.judge(0) === "unconfirmed" ? found : null;
  }

  /** Whether Redis says that an unconfirmed answer is current. */
  async confirm(key: string, answer: StoredAnswer): Promise<boolean> {
    const verdict = await answer.tags.confirm();
    if (verdict === "outdated" && this.answers.peek(key) === answer) {
      this.answers.delete(key);
      this.asked.note(key);
    }
    if (verdict === "current") this.deps.count("hit");
    return verdict === "current";
  }

  /** The cost of an answer that may be sent; not judged for a client. */
  costOf(key: string): StoredCost | null {
    const known = this.answers.peek(key);
    return known?.tags.judge(0) === "current" ? known.cost : null;
  }

  /** The same of an answer that may have to be confirmed. */
  likelyCostOf(key: string): StoredCost | null {
    const known = this.answers.peek(key);
    const verdict = known?.tags.judge(0);
    return known && (verdict === "current" || verdict === "unconfirmed") ? known.cost : null;
  }

  /** Resolves when an equal answer that is recorded has ended. */
  recorded(key: string): Promise<void> | undefined {
    return this.recordings.get(key);
  }

  /** Null where this execution is not to be stored. */
  record(key: string): Recording | null {
    const isWanted =
      this.maxBytes > 0 &&
      !this.answers.has(key) &&
      !this.recordings.has(key) &&
      !this.refused.has(key);
    if (!isWanted || !this.asked.note(key)) return null;
    const trace = this.deps.trace();
    if (!trace) return null;
    let land = () => {};
    const landed = new Promise<void>((resolve) => {
      land = resolve;
    });
    this.recordings.set(key, landed);
    return {
      trace,
      end: (executed) => {
        this.recordings.delete(key);
        const outcome = this.store(key, trace, executed);
        if (LASTING.has(outcome)) this.refused.set(key, true);
        this.deps.count(outcome);
        land();
        if (outcome === "stored") return this.answers.peek(key) ?? null;
        return outcome === "changed" ? outcome : null;
      },
    };
  }

  /**
   * An answer in a coding; null before it is made. That begins
   * at the third asking, off the event loop.
   */
  coded(key: string, answer: StoredAnswer, coding: Coding): Buffer | null {
    const known = answer.coded(coding);
    if (known !== undefined || answer.data.length < MIN_CODED_BYTES) return known ?? null;
    answer.codedAsks += 1;
    const isDue = answer.codedAsks >= CODED_ASKS && this.compressing.size < MAX_COMPRESSING;
    if (isDue && !this.compressing.has(answer.tags)) void this.compress(key, answer, coding);
    return null;
  }

  private async compress(key: string, answer: StoredAnswer, coding: Coding): Promise<void> {
    this.compressing.add(answer.tags);
    const bytes = await compress(answer.whole, coding).catch(() => null);
    this.compressing.delete(answer.tags);
    const present = this.answers.peek(key);
    if (present?.tags !== answer.tags) return;
    const coded = present.withCoding(coding, bytes);
    const fits = bytes !== null && coded.sizeUnder(key) <= this.maxAnswerBytes;
    this.deps.count(fits ? "coded" : "not coded");
    // Its tags stay the same: nothing is released.
    this.answers.set(key, fits ? coded : present.withCoding(coding, null), {
      noDisposeOnSet: true,
    });
  }

  private store(key: string, trace: AnswerTrace, executed: Executed | null): StoredOutcome {
    const tags = trace.finish();
    if (typeof tags === "string") return executed ? tags : "failed";
    if (!executed) {
      tags.release();
      return "failed";
    }
    const answer = new StoredAnswer(bytesOf(executed.data), tags, executed.cost);
    if (!this.mayReplace(answer.sizeUnder(key))) {
      tags.release();
      return "full";
    }
    this.answers.set(key, answer);
    if (this.answers.peek(key) === answer) return "stored";
    tags.release();
    return "too large";
  }

  /** A flood that asks twice may replace only a share of the store. */
  private mayReplace(bytes: number): boolean {
    if (this.answers.calculatedSize + bytes <= this.maxBytes) return true;
    const nowMs = performance.now();
    if (nowMs - this.replaced.sinceMs >= MINUTE) this.replaced = { bytes: 0, sinceMs: nowMs };
    if (this.replaced.bytes >= this.maxBytes * REPLACED_SHARE) return false;
    this.replaced.bytes += bytes;
    return true;
  }
}

/** Off the shared pool, whose slices would keep 8 KiB each. */
function bytesOf(text: string): Buffer {
  const bytes = Buffer.allocUnsafeSlow(Buffer.byteLength(text));
  bytes.write(text);
  return bytes;
}
