/**
 * The judge of origins: which pages may call. Those are our own,
 * listed ones, and in development those of the user's machine.
 * Spellings are compared exactly. CORS and the WebSocket upgrade,
 * which CORS does not cover, both ask here. A request without
 * Origin is no page.
 */
import { LRUCache } from "lru-cache";
import type { Logger } from "pino";
import { isLoopbackName } from "../domain/address.js";
import { cutText } from "../domain/cut-text.js";
import { MINUTE } from "../domain/time/time.js";

/**
 * Listed origins call with credentials. Our own need no CORS.
 * Refused ones are logged.
 */
export type OriginStanding = "none" | "listed" | "own" | "refused";

/** Judges the headers Origin and Host of a request. */
export type JudgeOrigin = (origin: string | undefined, host: string | undefined) => OriginStanding;

export interface OriginRules {
  /** As browsers spell them. */
  readonly listed: readonly string[];
  /** Whether every page of the user's own machine counts as listed. */
  readonly loopback: boolean;
}

/** @param nowMs a monotonic clock */
export function createOriginJudge(
  { listed, loopback }: OriginRules,
  log: Pick<Logger, "warn">,
  nowMs: () => number = () => performance.now(),
): JudgeOrigin {
  const known = new Set(listed);
  const report = createRefusalLog(log, nowMs);
  return (origin, host) => {
    if (!origin) return "none";
    if (known.has(origin)) return "listed";
    const page = pageOf(origin);
    if (page && loopback && isLoopbackName(page.hostname)) return "listed";
    if (page && page.host === host?.toLowerCase()) return "own";
    report(origin);
    return "refused";
  };
}

/**
 * The page behind an origin; null for `null`, and for spellings
 * that no browser sends.
 */
function pageOf(origin: string): URL | null {
  if (!/^https?:/.test(origin) || !URL.canParse(origin)) return null;
  const page = new URL(origin);
  return page.origin === origin ? page : null;
}

/** Origins named within a minute: anyone can send any number. */
const MAX_NAMED = 100;
const MAX_ORIGIN_CHARACTERS = 200;

/** Names each refused origin once a minute, up to a number of them. */
function createRefusalLog(log: Pick<Logger, "warn">, nowMs: () => number) {
  const named = new LRUCache<string, true>({
    max: MAX_NAMED,
    ttl: MINUTE,
    ttlResolution: 0,
    perf: { now: nowMs },
  });
  return (text: string): void => {
    const origin = cutText(text, MAX_ORIGIN_CHARACTERS);
    if (named.has(origin)) return;
    // Evicting one would name it twice within its minute.
    if (named.size === MAX_NAMED) named.purgeStale();
    if (named.size === MAX_NAMED) return;
    named.set(origin, true);
    const isLast = named.size === MAX_NAMED;
    log.warn(
      { origin, variable: "ALLOWED_ORIGINS" },
      `a page of this origin may not call: ${origin === "null" ? NO_ORIGIN : NOT_LISTED}` +
        (isLast ? "; further origins are not named for a minute" : ""),
    );
  };
}

const NOT_LISTED = "add it to ALLOWED_ORIGINS if it is yours";
const NO_ORIGIN = "ALLOWED_ORIGINS cannot list it, so serve the page over http or https";
