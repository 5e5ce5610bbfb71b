/**
 * Statements that are asked again and again are prepared:
 * Postgres parses and plans each once for a connection.
 *
 * The name is the hash of the text. So a pooler that gives one
 * server connection to several clients cannot mix statements
 * up. Bounded, because filters make many texts.
 */
import { LRUCache } from "lru-cache";
import { entriesUpTo } from "../../domain/concurrency/bounded-cache.js";
import { sha256 } from "../../domain/hash.js";

/** A text that is asked so often gets a name. */
const USES_BEFORE_PREPARING = 5;
/** Postgres keeps each for every connection. */
const MAX_PREPARED = 200;
const MAX_COUNTED = 1_000;

/** The pooler in between keeps no prepared statements. */
const LOST_STATES: ReadonlySet<string> = new Set(["26000", "42P05"]);
/** A column has another type since: Postgres wants it anew. */
const OUTDATED = /^cached plan must not change result type/;

export class PreparedStatements {
  private readonly uses = new LRUCache<string, number>(entriesUpTo(MAX_COUNTED));
  private readonly names = new Map<string, string>();
  private isOff = false;
  /** Counts outdated plans: a name is never used for two. */
  private generation = 0;

  /** Null where a statement is sent by its text alone. */
  nameOf(text: string): string | null {
    if (this.isOff) return null;
    const name = this.names.get(text);
    if (name !== undefined) return name;
    const uses = (this.uses.get(text) ?? 0) + 1;
    this.uses.set(text, uses);
    if (uses < USES_BEFORE_PREPARING || this.names.size >= MAX_PREPARED) return null;
    const made = `souk-${this.generation}-${sha256(text, "base64url")}`;
    this.names.set(text, made);
    return made;
  }

  /**
   * Whether a statement failed for its name alone. Then it has
   * not run, and may be sent again without.
   */
  mayRepeatUnnamed(error: unknown): boolean {
    if (!(error instanceof Error)) return false;
    if (LOST_STATES.has(String((error as { readonly code?: unknown }).code))) {
      this.isOff = true;
      return true;
    }
    if (!OUTDATED.test(error.message)) return false;
    this.generation += 1;
    this.names.clear();
    return true;
  }
}
