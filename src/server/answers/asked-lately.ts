/**
 * Remembers for about a minute which keys were asked for, in
 * a fixed size.
 *
 * Two Bloom filters: the present half minute, and the one
 * before. At 100,000 keys a half minute, one new key in a
 * thousand seems known. Source: Bloom, 1970.
 */
import { MINUTE } from "../../domain/time/time.js";

const HALF_MS = MINUTE / 2;
/** 256 KiB a filter. */
const BITS = 2 ** 21;
const HASHES = 4;

export class AskedLately {
  private present = new Uint8Array(BITS / 8);
  private before = new Uint8Array(BITS / 8);
  private turnsAtMs: number;

  /** @param nowMs a monotonic clock */
  constructor(private readonly nowMs: () => number) {
    this.turnsAtMs = nowMs() + HALF_MS;
  }

  /** Notes a key. True where it was noted lately. */
  note(key: string): boolean {
    this.turn();
    const [first, step] = hashesOf(key);
    let [isPresent, wasBefore] = [true, true];
    for (let index = 0; index < HASHES; index += 1) {
      const bit = (first + index * step) % BITS;
      const [byte, mask] = [bit >>> 3, 1 << (bit & 7)];
      isPresent &&= ((this.present[byte] ?? 0) & mask) !== 0;
      wasBefore &&= ((this.before[byte] ?? 0) & mask) !== 0;
      this.present[byte] = (this.present[byte] ?? 0) | mask;
    }
    return isPresent || wasBefore;
  }

  private turn(): void {
    const late = this.nowMs() - this.turnsAtMs;
    if (late < 0) return;
    this.turnsAtMs = this.nowMs() + HALF_MS;
    const older = this.before;
    this.before = late < HALF_MS ? this.present : older.fill(0);
    this.present = late < HALF_MS ? older.fill(0) : new Uint8Array(BITS / 8);
  }
}

/** Two hashes of 32 bits (FNV-1a); the second is odd. */
function hashesOf(key: string): readonly [first: number, step: number] {
  let [first, second] = [0x811c9dc5, 0x01000193];
  for (let index = 0; index < key.length; index += 1) {
    const code = key.charCodeAt(index);
    first = Math.imul(first ^ code, 0x01000193);
    second = Math.imul(second ^ (code + index), 0x85ebca6b);
  }
  return [first >>> 0, (second | 1) >>> 0];
}
