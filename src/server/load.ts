/**
 * Load shedding: what a process has under way is bounded, and what is beyond is refused at once, before its body is read.
 *
 * Callers are dealt into classes, each with places of its own (bulkheads), so that a flood of one class takes no place of another:
 * callers without a verified identity, users whose token this process has verified before, and the service token. Within a class one
 * holder (an address, a user) has at most half of the places. Bodies that are announced count by their bytes.
 * The event loop counts too (event-loop.ts): a saturated process holds no more than it completes in `waitMs`, and while a queue
 * stands in front of it callers without a verified identity are refused; at four times the lateness users are refused as well.
 * A place is held from the first byte of a request until its answer is made, not until a slow client has read it.
 */
import { Overloaded } from "../domain/errors.js";
import { type EventLoop, type EventLoopLimits, watchEventLoop } from "./event-loop.js";

/** Whose places a request takes. */
export const LOAD_CLASSES = ["address", "viewer", "service"] as const;
export type LoadClass = (typeof LOAD_CLASSES)[number];

/** Why a request is refused. */
export type ShedReason = "in flight" | "one holder" | "bytes" | "event loop";

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
export interface Place {
  leave(): void;
}

/** Hands out places. */
export interface Load {
  /** A place, or why there is none. Nothing is counted for what is refused. */
  enter(arrival: Arrival): Place | ShedReason;
  /** Why there would be no place; null where there is one. */
  peek(arrival: Arrival): ShedReason | null;
  /** Places that are taken. */
  inFlight(loadClass: LoadClass): number;
  /** Whether the event loop has been late for a second. */
  isLate(): boolean;
  close(): void;
}

const HOLDER_SHARE = 0.5;

/** Whether there was no place. */
export const isRefused = (entered: Place | ShedReason): entered is ShedReason => typeof entered === "string";

/** What takes the places of a payer. */
interface PlaceDeps {
  readonly load: Load;
  readonly shedding: { shed(loadClass: LoadClass, reason: ShedReason): void };
}

/** A place for an operation of a socket, whose bytes were read already. Throws Overloaded. */
export function takePlaceOf({ load, shedding }: PlaceDeps, { kind, name }: { readonly kind: LoadClass; readonly name: string }): Place {
  const entered = load.enter({ class: kind, holder: name, bytes: 0 });
  if (!isRefused(entered)) return entered;
  shedding.shed(kind, entered);
  throw new Overloaded();
}

/** Makes the places of a process. */
export function createLoad(limits: LoadLimits, loop: EventLoop = watchEventLoop(limits)): Load {
  const taken: Record<LoadClass, number> = { address: 0, viewer: 0, service: 0 };
  const byHolder = new Map<string, number>();
  let bytes = 0;

  const refusalOf = (arrival: Arrival, ofHolder: number): ShedReason | null => {
    const max = arrival.class === "service" ? limits.inFlight.service : Math.min(limits.inFlight[arrival.class], loop.holds());
    if (taken[arrival.class] >= max) return "in flight";
    if (arrival.class !== "service" && ofHolder >= Math.max(1, max * HOLDER_SHARE)) return "one holder";
    if (bytes + arrival.bytes > limits.bodyBytes && arrival.class !== "service") return "bytes";
    const isLate = arrival.class === "address" ? loop.isLate() : arrival.class === "viewer" && loop.isVeryLate();
    return isLate ? "event loop" : null;
  };

  const keyOf = (arrival: Arrival): string => `${arrival.class} ${arrival.holder}`;

  return {
    peek: (arrival) => refusalOf(arrival, byHolder.get(keyOf(arrival)) ?? 0),
    enter(arrival) {
      const key = keyOf(arrival);
      const ofHolder = byHolder.get(key) ?? 0;
      const reason = refusalOf(arrival, ofHolder);
      if (reason) return reason;
      taken[arrival.class] += 1;
      bytes += arrival.bytes;
      byHolder.set(key, ofHolder + 1);
      let isHeld = true;
      return {
        leave() {
          if (!isHeld) return;
          isHeld = false;
          loop.completed();
          taken[arrival.class] -= 1;
          bytes -= arrival.bytes;
          const left = (byHolder.get(key) ?? 1) - 1;
          if (left > 0) byHolder.set(key, left);
          else byHolder.delete(key);
        },
      };
    },
    inFlight: (loadClass) => taken[loadClass],
    isLate: loop.isLate,
    close: loop.close,
  };
}
