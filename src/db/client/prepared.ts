/**
 * Statements that are asked again and again are prepared:
 * Postgres parses each once for a connection.
 *
 * The name is the hash of the text: a pooler that shares
 * server connections cannot mix statements up. Bounded in
 * number and length, because filters make many long texts. A
 * plan takes a hundred times its text.
 */
import { LRUCache } from "lru-cache";
import { entriesUpTo } from "../../domain/concurrency/bounded-cache.js";
import { sha256 } from "../../domain/hash.js";

/** A text that is asked so often gets a name. */
const USES_BEFORE_PREPARING = 5;
/** Postgres keeps each for every connection. */
const MAX_PREPARED = 200;
const MAX_PREPARED_CHARACTERS = 50_000;
const MAX_TEXT = 2_000;
const MAX_COUNTED = 1_000;
/** Each change of a column's type outdates some names. */
const MAX_OUTDATED = 20;

/** The pooler in between keeps no prepared statements. */
const LOST_STATES: ReadonlySet<string> = new Set(["26000", "42P05"]);
/**
 * A column may have another type than when a statement was
 * prepared: a result that changed, a parameter that no longer
 * fits. The same states say that a statement itself is wrong.
 */
const OUTDATED_STATES = /^(0A000|22003|22P02|42)/;

export class PreparedStatements {
  private readonly uses = new LRUCache<string, number>(entriesUpTo(MAX_COUNTED));
  private readonly names = new Map<string, string>();
  private characters = 0;
  private outdated = 0;
  private isOff = false;

  /** Null where a statement is sent by its text alone. */
  nameOf(text: string): string | null {
    if (this.isOff || text.length > MAX_TEXT) return null;
    const name = this.names.get(text);
    if (name !== undefined) return name;
    const uses = (this.uses.get(text) ?? 0) + 1;
    this.uses.set(text, uses);
    const isFull =
      this.names.size >= MAX_PREPARED || this.characters + text.length > MAX_PREPARED_CHARACTERS;
    if (uses < USES_BEFORE_PREPARING || isFull) return null;
    const made = `souk-${this.outdated}-${sha256(text, "base64url")}`;
    this.names.set(text, made);
    this.characters += text.length;
    return made;
  }

  /**
   * Whether a statement may have failed for its name alone. By
   * itself in its transaction, it has changed nothing, and may
   * be sent again without.
   */
  mayRepeatUnnamed(error: unknown): boolean {
    const { code } = (error ?? {}) as { readonly code?: unknown };
    if (typeof code !== "string") return false;
    const isLost = LOST_STATES.has(code);
    if (isLost) this.isOff = true;
    return isLost || OUTDATED_STATES.test(code);
  }

  /** Without its name a statement did not fail. */
  forget(text: string): void {
    // A name is never used for two.
    this.outdated += 1;
    if (this.outdated > MAX_OUTDATED) this.isOff = true;
    if (this.names.delete(text)) this.characters -= text.length;
  }
}
