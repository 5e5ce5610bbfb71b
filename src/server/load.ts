/**
 * Load shedding: work in flight is bounded, and the rest is
 * rejected before its body is read.
 *
 * Callers fall into classes with permits of their own
 * (bulkheads): callers without a verified identity; users whose
 * token this process has verified; the service token. One holder
 * (an address, a user) has at most half of its class.
 *
 * Announced bodies count by bytes: half of them for a class, a
 * sixteenth of that for a holder. The event loop counts too
 * (event-loop.ts). A saturated process holds what it completes in
 * `waitMs`. While work queues, unverified callers are rejected;
 * at four times the lateness users are as well.
 *
 * A permit lasts from the last byte of the request until its
 * answer is made. Slow senders and slow readers hold none.
 */
import { Overloaded } from "../domain/errors.js";
import type { LoadClass, ShedReason } from "../domain/limits.js";
import { type EventLoop, type EventLoopLimits, watchEventLoop } from "./event-loop.js";

/** Work in flight, per process. */
export interface LoadLimits extends EventLoopLimits {
  /** Requests and operations of each class. */
  readonly inFlight: Readonly<Record<LoadClass, number>>;
  /** Bytes of announced bodies without an answer yet. */
  readonly bodyBytes: number;
}

export interface Arrival {
  readonly class: LoadClass;
  /** The user or the address (IPv6: its /64). */
  readonly holder: string;
  readonly bytes: number;
}

/** `release` is idempotent. */
export interface Permit {
  release(): void;
}

/**
 * A request whose body is on its way: it holds bytes, and no
 * permit.
 */
export interface AnnouncedPermit extends Permit {
  /**
   * Takes the permit once the body is there; returns why there is
   * none.
   */
  start(): ShedReason | null;
}

export interface LoadShedder {
  /** Reserves the bytes of a body, or returns why not. */
  announce(arrival: Arrival): AnnouncedPermit | ShedReason;
  /** A permit, or why there is none. A rejection counts nothing. */
  acquire(arrival: Arrival): Permit | ShedReason;
  /** What `announce` would return; null for a success. */
  peek(arrival: Arrival): ShedReason | null;
  /** Permits taken. */
  inFlight(loadClass: LoadClass): number;
  /** Whether the event loop has been late for a second. */
  isLate(): boolean;
  close(): void;
}

const HOLDER_SHARE = 0.5;
/** Shares of the body bytes: of a class, and of one holder in it. */
const CLASS_BYTES = 0.5;
const HOLDER_BYTES = CLASS_BYTES / 16;

export const isShed = (result: Permit | ShedReason): result is ShedReason =>
  typeof result === "string";

interface PermitDeps {
  readonly load: LoadShedder;
  readonly shedding: { shed(loadClass: LoadClass, reason: ShedReason): void };
}

/**
 * A permit for a socket's operation, whose bytes are read. Throws
 * Overloaded.
 */
export function acquirePermitOf(
  { load, shedding }: PermitDeps,
  { kind, name }: { readonly kind: LoadClass; readonly name: string },
): Permit {
  const result = load.acquire({ class: kind, holder: name, bytes: 0 });
  if (!isShed(result)) return result;
  shedding.shed(kind, result);
  throw new Overloaded();
}

export function createLoad(
  limits: LoadLimits,
  loop: EventLoop = watchEventLoop(limits),
): LoadShedder {
  const [permits, bytes] = [createTally(), createTally()];

  const permitRefusal = ({ class: of, holder }: Arrival): ShedReason | null => {
    const max =
      of === "service" ? limits.inFlight.service : Math.min(limits.inFlight[of], loop.capacity());
    if (permits.of(of) >= max) return "in flight";
    if (of !== "service" && permits.ofHolder(of, holder) >= Math.max(1, max * HOLDER_SHARE))
      return "one holder";
    const isLate = of === "address" ? loop.isLate() : of === "viewer" && loop.isVeryLate();
    return isLate ? "event loop" : null;
  };
  const byteRefusal = ({ class: of, holder, bytes: more }: Arrival): ShedReason | null => {
    if (of === "service" || more === 0) return null;
    const held = bytes.ofHolder(of, holder);
    // One body of any size fits, or none ever could.
    const isTooMuch = bytes.of(of) + more > Math.max(more, limits.bodyBytes * CLASS_BYTES);
    return isTooMuch || held + more > Math.max(more, limits.bodyBytes * HOLDER_BYTES)
      ? "bytes"
      : null;
  };
  const takePermit = (arrival: Arrival): (() => void) => {
    const release = permits.add(arrival, 1);
    return () => release() && loop.completed();
  };

  const refusalOf = (arrival: Arrival): ShedReason | null =>
    permitRefusal(arrival) ?? byteRefusal(arrival);

  return {
    peek: refusalOf,
    acquire(arrival) {
      return permitRefusal(arrival) ?? { release: takePermit(arrival) };
    },
    announce(arrival) {
      const reason = refusalOf(arrival);
      if (reason) return reason;
      const held: (() => void)[] = [bytes.add(arrival, arrival.bytes)];
      return {
        start() {
          const refused = permitRefusal(arrival);
          if (!refused) held.push(takePermit(arrival));
          return refused;
        },
        release() {
          for (const release of held) release();
        },
      };
    },
    inFlight: permits.of,
    isLate: loop.isLate,
    close: loop.close,
  };
}

/** Counts by class and by holder. */
function createTally() {
  const byClass: Record<LoadClass, number> = { address: 0, viewer: 0, service: 0 };
  const byHolder = new Map<string, number>();
  const keyOf = (of: LoadClass, holder: string) => `${of} ${holder}`;
  const count = (of: LoadClass, holder: string, by: number): void => {
    const key = keyOf(of, holder);
    const left = (byHolder.get(key) ?? 0) + by;
    byClass[of] += by;
    if (left > 0) byHolder.set(key, left);
    else byHolder.delete(key);
  };
  return {
    of: (of: LoadClass) => byClass[of],
    ofHolder: (of: LoadClass, holder: string) => byHolder.get(keyOf(of, holder)) ?? 0,
    /** Returns its release, which returns true the first time. */
    add({ class: of, holder }: Arrival, amount: number): () => boolean {
      count(of, holder, amount);
      let isHeld = true;
      return () => {
        if (!isHeld) return false;
        isHeld = false;
        count(of, holder, -amount);
        return true;
      };
    },
  };
}
