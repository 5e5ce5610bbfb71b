/**
 * Load shedding: what a process has under way is bounded, and what is beyond is refused at once,
 * before its body is read.
 *
 * Callers are dealt into classes, each with places of its own (bulkheads), so that a flood of one
 * class takes no place of another: callers without a verified identity, users whose token this
 * process has verified before, and the service token. Within a class one holder (an address, a
 * user) has at most half of the places. Bodies that are announced count by their bytes, each class
 * for itself: half of the bytes, and of those a sixteenth for one holder. The event loop counts too
 * (event-loop.ts): a saturated process holds no more than it completes in `waitMs`, and while a
 * queue stands in front of it callers without a verified identity are refused; at four times the
 * lateness users are refused as well. A place is held from the last byte of a request until its
 * answer is made, not until a slow client has read it: a client that sends slowly takes no place of
 * one that asks.
 */
import { Overloaded } from "../domain/errors.js";
import type { LoadClass, ShedReason } from "../domain/limits.js";
import { type EventLoop, type EventLoopLimits, watchEventLoop } from "./event-loop.js";

/** How much may be under way at once, per process. */
export interface LoadLimits extends EventLoopLimits {
  /** Requests and operations of each class. */
  readonly inFlight: Readonly<Record<LoadClass, number>>;
  /** Bytes of bodies that were announced and not answered. */
  readonly bodyBytes: number;
}

/** What asks for a place. */
export interface Arrival {
  readonly class: LoadClass;
  /** Tells the user or the address (IPv6: its /64) from others of the class. */
  readonly holder: string;
  readonly bytes: number;
}

/** A place that was taken. `leave` gives it back, once. */
export interface Permit {
  release(): void;
}

/** A request whose body is still on its way: it holds the bytes that it announces, and no place. */
export interface AnnouncedPermit extends Permit {
  /** Takes its place, now that the body is there; answers why there is none. */
  start(): ShedReason | null;
}

/** Hands out places. */
export interface Load {
  /** Lets a request send its body, or says why not. */
  announce(arrival: Arrival): AnnouncedPermit | ShedReason;
  /** A place, or why there is none. Nothing is counted for what is refused. */
  acquire(arrival: Arrival): Permit | ShedReason;
  /** What `arrive` would refuse with; null where it would not. */
  peek(arrival: Arrival): ShedReason | null;
  /** Places that are taken. */
  inFlight(loadClass: LoadClass): number;
  /** Whether the event loop has been late for a second. */
  isLate(): boolean;
  close(): void;
}

const HOLDER_SHARE = 0.5;
/** Of the bytes of bodies: those of one class, and of one holder in it. */
const CLASS_BYTES = 0.5;
const HOLDER_BYTES = CLASS_BYTES / 16;

/** Whether there was no place. */
export const isShed = (result: Permit | ShedReason): result is ShedReason =>
  typeof result === "string";

/** What takes the places of a payer. */
interface PlaceDeps {
  readonly load: Load;
  readonly shedding: { shed(loadClass: LoadClass, reason: ShedReason): void };
}

/** A place for an operation of a socket, whose bytes were read already. Throws Overloaded. */
export function acquirePermitOf(
  { load, shedding }: PlaceDeps,
  { kind, name }: { readonly kind: LoadClass; readonly name: string },
): Permit {
  const result = load.acquire({ class: kind, holder: name, bytes: 0 });
  if (!isShed(result)) return result;
  shedding.shed(kind, result);
  throw new Overloaded();
}

/** Makes the places of a process. */
export function createLoad(limits: LoadLimits, loop: EventLoop = watchEventLoop(limits)): Load {
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
    // One body of any size is let in, or none could be.
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

/** Counts something by class and by holder. */
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
    /** Answers how to give it back, once: true the first time. */
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
