/**
 * Random interleavings of reads, loads, invalidations and fills over several caches on one Redis,
 * judged by a model.
 *
 * A value carries the number of writes that had been made when its load read it. The model knows,
 * for every read, how many writes had been announced to it when it began: those whose invalidation
 * had returned on the same process, and with a consistency token those of every process. A read
 * that shows fewer is stale.
 */
import { ReadContext } from "../../../src/domain/read-context.js";
import type { CacheRegion } from "../../../src/redis/cache/cache.js";
import type { OpenCache } from "../../../src/redis/cache/open.js";

export interface Drill {
  readonly caches: readonly OpenCache[];
  /** Interleavings: one key each. */
  readonly rounds: number;
  readonly seed: number;
}

export interface Verdict {
  readonly reads: number;
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
export async function runInterleavings({ caches, rounds, seed }: Drill): Promise<Verdict> {
  const verdict = { reads: 0, stale: 0 };
  let next = 0;
  const worker = async () => {
    while (next < rounds) {
      const id = next++;
      const round = new Round(caches, id, randomFrom(seed + id));
      await round.run();
      verdict.reads += round.reads;
      verdict.stale += round.stale;
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return verdict;
}

/** One key, its source, and what each process has been told. */
class Round {
  reads = 0;
  stale = 0;
  private written = 0;
  /** Writes whose invalidation has returned, by process. */
  private readonly announced: number[];
  /** The latest token given out, and the writes it stands for. */
  private token = { count: 0, written: 0 };

  constructor(
    private readonly caches: readonly OpenCache[],
    private readonly id: number,
    private readonly random: () => number,
  ) {
    this.announced = caches.map(() => 0);
  }

  async run(): Promise<void> {
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
    for (const process of this.caches.keys()) await this.read(process, true);
  }

  private async write(process: number): Promise<void> {
    this.written += 1;
    const { written } = this;
    // Where it could not be sent, the process itself still knows of it; a token is not given out.
    const count =
      (await this.caches[process]?.invalidate([`number:${this.id}`]).catch(() => 0)) ?? 0;
    this.announced[process] = Math.max(this.announced[process] ?? 0, written);
    if (count > this.token.count)
      this.token = { count, written: Math.max(written, this.token.written) };
  }

  private async read(process: number, withToken: boolean): Promise<void> {
    const least = withToken
      ? Math.max(this.token.written, this.announced[process] ?? 0)
      : (this.announced[process] ?? 0);
    const reading = withToken
      ? new ReadContext({ seen: { count: this.token.count, bypassUntilMs: 0 } })
      : new ReadContext();
    const [shown] =
      (await this.caches[process]?.readMany(numbers, [this.id], this.load, reading)) ?? [];
    this.reads += 1;
    if ((shown ?? -1) < least) this.stale += 1;
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
    return Math.floor(this.random() * this.caches.length);
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
