/**
 * Random interleavings of reads, loads, invalidations and fills over several caches on one Redis,
 * judged by a model.
 *
 * A value carries the number of writes that had been made when its load read it. The model knows,
 * for every read, how many writes had been announced to it when it began: those whose invalidation
 * had returned on the same process, and with a consistency token those of every process. A read
 * that shows fewer is stale.
 */
import { type ConsistencyToken, NO_TOKEN } from "../../../src/domain/reading/consistency-token.js";
import { ReadContext } from "../../../src/domain/reading/read-context.js";
import type { CacheRegion } from "../../../src/redis/cache/cache.js";
import type { OpenCache } from "../../../src/redis/cache/open.js";
import { findAnswer } from "../../../src/server/answers/find-answer.js";
import type { StoredAnswers } from "../../../src/server/answers/stored-answers.js";

export interface Drill {
  readonly caches: readonly OpenCache[];
  /** A store of answers for each cache; default none. */
  readonly stores?: readonly StoredAnswers[];
  /** Interleavings: one key each. */
  readonly rounds: number;
  readonly seed: number;
}

export interface Verdict {
  readonly reads: number;
  /** Reads that a store answered. */
  readonly stored: number;
  readonly stale: number;
}

const STEPS = 7;
/** Rounds at once: enough that commands of several interleave in every write to the socket. */
const AT_ONCE = 40;

const numbers: CacheRegion<number> = {
  name: "number",
  cacheKeyOf: String,
  tagsOf: (id) => ["numbers", `number:${id}`],
};

/**
 * Runs the interleavings. The same seed makes the same decisions; the network adds its own timing.
 */
export async function runInterleavings({
  caches,
  stores = [],
  rounds,
  seed,
}: Drill): Promise<Verdict> {
  const verdict = { reads: 0, stored: 0, stale: 0 };
  const processes = caches.map((cache, index) => ({ cache, store: stores[index] }));
  let next = 0;
  const worker = async () => {
    while (next < rounds) {
      const id = next++;
      const round = new Round(processes, id, randomFrom(seed + id));
      await round.run();
      verdict.reads += round.reads;
      verdict.stored += round.stored;
      verdict.stale += round.stale;
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return verdict;
}

interface Process {
  readonly cache: OpenCache;
  readonly store: StoredAnswers | undefined;
}

/** One key, its source, and what each process has been told. */
class Round {
  reads = 0;
  stored = 0;
  stale = 0;
  private written = 0;
  /** Writes whose invalidation has returned, by process. */
  private readonly announced: number[];
  /** The latest token given out, and the writes it stands for. */
  private token = { count: 0, written: 0 };

  constructor(
    private readonly processes: readonly Process[],
    private readonly id: number,
    private readonly random: () => number,
  ) {
    this.announced = processes.map(() => 0);
  }

  async run(): Promise<void> {
    await this.fillStores();
    const steps: Promise<void>[] = [];
    for (let step = 0; step < STEPS; step += 1) {
      steps.push(
        this.random() < 0.35
          ? this.write(this.pick())
          : this.read(this.pick(), this.random() < 0.5),
      );
      await this.pause();
      if (this.random() < 0.2) await Promise.all(steps);
    }
    await Promise.all(steps);
    for (const process of this.processes.keys()) await this.read(process, true);
  }

  /**
   * Reads until every store had the chance to keep an answer: the first load creates the tags, the
   * next two reads are the askings that an answer is stored at. The steps then find answers to end.
   */
  private async fillStores(): Promise<void> {
    for (const [process, { store }] of this.processes.entries()) {
      if (!store) continue;
      for (let asked = 0; asked < 3; asked += 1) await this.read(process, false);
    }
  }

  private async write(process: number): Promise<void> {
    this.written += 1;
    const { written } = this;
    // Where it could not be sent, the process itself still knows of it; a token is not given out.
    const count =
      (await this.processes[process]?.cache.invalidate([`number:${this.id}`]).catch(() => 0)) ?? 0;
    this.announced[process] = Math.max(this.announced[process] ?? 0, written);
    if (count > this.token.count)
      this.token = { count, written: Math.max(written, this.token.written) };
  }

  private async read(process: number, withToken: boolean): Promise<void> {
    const least = withToken
      ? Math.max(this.token.written, this.announced[process] ?? 0)
      : (this.announced[process] ?? 0);
    const seen = withToken ? { count: this.token.count, bypassUntilMs: 0 } : NO_TOKEN;
    const shown = await this.show(this.processes[process] as Process, seen);
    this.reads += 1;
    if (shown < least) this.stale += 1;
  }

  /** From the store where it has an answer, as a request is answered. */
  private async show({ cache, store }: Process, seen: ConsistencyToken): Promise<number> {
    const key = String(this.id);
    const found = store ? await findAnswer(store, key, seen) : null;
    if (found && (await found.isCurrent)) {
      this.stored += 1;
      return Number(found.answer.data);
    }
    const recording = store?.record(key) ?? null;
    const reading = new ReadContext({ seen, trace: recording?.trace ?? null });
    let shown: number | null | undefined;
    try {
      [shown] = await cache.readMany(numbers, [this.id], this.load, reading);
      // An answer is serialised some turns after its last read.
      if (recording) await this.pause();
    } finally {
      const cost = { requested: 1, actual: 1 };
      recording?.end(typeof shown === "number" ? { data: String(shown), cost } : null);
    }
    return shown ?? -1;
  }

  private readonly load = async (ids: readonly number[]): Promise<number[]> => {
    const { written } = this;
    await this.pause();
    await this.pause();
    return ids.map(() => written);
  };

  /** A few turns of the event loop, in which replies arrive. */
  private async pause(): Promise<void> {
    for (let turns = Math.floor(this.random() * 4); turns > 0; turns -= 1)
      await new Promise(setImmediate);
  }

  private pick(): number {
    return Math.floor(this.random() * this.processes.length);
  }
}

/** Mulberry32: small, seeded, good enough to decide with. */
function randomFrom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
