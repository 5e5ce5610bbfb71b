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
import type {
  AnswerTags,
  AnswerTrace,
  StoreRefusal,
  TraceAnswer,
} from "../../domain/reading/answer-tags.js";
import type { ConsistencyToken } from "../../domain/reading/consistency-token.js";
import { AskedLately } from "./asked-lately.js";

/** One answer. Its bytes are equal for all who may have it. */
export interface StoredAnswer {
  /** `{"data":…`, without the closing brace. */
  readonly data: Buffer;
  readonly tags: AnswerTags;
  readonly cost: StoredCost;
}

/** The cost of its execution: the answer is known. */
export interface StoredCost {
  readonly requested: number;
  readonly actual: number;
}

/** What an execution has to say when it ends. */
export interface Executed {
  /** `{"data":…`, without the closing brace. */
  readonly data: string;
  readonly cost: StoredCost;
}

/** The execution of an answer that is to be stored. */
export interface Recording {
  readonly trace: AnswerTrace;
  /** Call once. Null: it failed, or is no answer of its own. */
  end(executed: Executed | null): void;
}

/** "hit", "stored", "evicted", or why it was not stored. */
export type StoredOutcome = "hit" | "stored" | "evicted" | "too large" | "failed" | StoreRefusal;

export interface StoredAnswersDeps {
  readonly trace: TraceAnswer;
  readonly count: (outcome: StoredOutcome) => void;
}

/** What an answer costs beyond its bytes. */
const ANSWER_BYTES = 512;
/** What it adds for each tag. */
const TAG_BYTES = 32;

export class StoredAnswers {
  private readonly asked = new AskedLately(() => performance.now());
  private readonly recordings = new Map<string, Promise<void>>();
  private readonly answers: LRUCache<string, StoredAnswer>;

  /** @param maxBytes 0 stores nothing */
  constructor(
    private readonly deps: StoredAnswersDeps,
    private readonly maxBytes: number,
  ) {
    this.answers = new LRUCache({
      maxSize: Math.max(1, maxBytes),
      sizeCalculation: ({ data, tags }, key) =>
        data.length + 2 * key.length + ANSWER_BYTES + tags.count * TAG_BYTES,
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

  /** Resolves when an equal answer that is recorded has ended. */
  recorded(key: string): Promise<void> | undefined {
    return this.recordings.get(key);
  }

  /** Null where this execution is not to be stored. */
  record(key: string): Recording | null {
    const isWanted = this.maxBytes > 0 && !this.answers.has(key) && !this.recordings.has(key);
    if (!isWanted || !this.asked.note(key)) return null;
    const trace = this.deps.trace();
    let land = () => {};
    const landed = new Promise<void>((resolve) => {
      land = resolve;
    });
    this.recordings.set(key, landed);
    return {
      trace,
      end: (executed) => {
        this.recordings.delete(key);
        this.deps.count(this.store(key, trace, executed));
        land();
      },
    };
  }

  private store(key: string, trace: AnswerTrace, executed: Executed | null): StoredOutcome {
    const tags = trace.finish();
    if (typeof tags === "string") return executed ? tags : "failed";
    if (!executed) {
      tags.release();
      return "failed";
    }
    const answer = { data: Buffer.from(executed.data), tags, cost: executed.cost };
    this.answers.set(key, answer);
    if (this.answers.peek(key) === answer) return "stored";
    tags.release();
    return "too large";
  }
}
