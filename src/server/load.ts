/**
 * Load shedding: what a process has under way is bounded, and what is beyond is refused at once, before its body is read.
 *
 * Callers are dealt into classes, each with places of its own (bulkheads), so that a flood of one class takes no place of another:
 * callers without a verified identity, users whose token this process has verified before, and the service token. Within a class one
 * holder (an address, a user) has at most half of the places. Bodies that are announced count by their bytes.
 * The event loop counts too: where every sample of a second was late there is a standing queue (the criterion of CoDel, RFC 8289), and
 * callers without a verified identity are refused; at four times the lateness users are refused as well.
 * A place is held from the first byte of a request until its answer is made, not until a slow client has read it.
 */
import { Overloaded } from "../domain/errors.js";
import { SECOND } from "../domain/time.js";

/** Whose places a request takes. */
export const LOAD_CLASSES = ["address", "viewer", "service"] as const;
export type LoadClass = (typeof LOAD_CLASSES)[number];

/** Why a request is refused. */
export type ShedReason = "in flight" | "one holder" | "bytes" | "event loop";

/** How much may be under way at once, per process. */
export interface LoadLimits {
  /** Requests and operations of each class. */
  readonly inFlight: Readonly<Record<LoadClass, number>>;
  /** Bytes of bodies that were announced and not answered. */
  readonly bodyBytes: number;
  /** Lateness of the event loop that is a queue when it lasts for a second, in ms. */
  readonly lagMs: number;
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
  /** Places that are taken. */
  inFlight(loadClass: LoadClass): number;
  /** Whether the event loop has been late for a second. */
  isLate(): boolean;
  close(): void;
}

/** How often the event loop is looked at. */
const SAMPLE_MS = 50;
/** Lateness that lasts this long is a queue, not a pause. */
const STANDING_MS = SECOND;
const USERS_LAG = 4;
const HOLDER_SHARE = 0.5;

/** Whether there was no place. */
export const isRefused = (entered: Place | ShedReason): entered is ShedReason => typeof entered === "string";

/** What takes the places of a payer. */
interface PlaceDeps {
  readonly load: Load;
  readonly metrics: { shed(loadClass: LoadClass, reason: ShedReason): void };
}

/** A place for an operation of a socket, whose bytes were read already. Throws Overloaded. */
export function takePlaceOf({ load, metrics }: PlaceDeps, { kind, name }: { readonly kind: LoadClass; readonly name: string }): Place {
  const entered = load.enter({ class: kind, holder: name, bytes: 0 });
  if (!isRefused(entered)) return entered;
  metrics.shed(kind, entered);
  throw new Overloaded();
}

/** Makes the places of a process. */
export function createLoad(limits: LoadLimits, loop: EventLoop = watchEventLoop(limits.lagMs)): Load {
  const taken: Record<LoadClass, number> = { address: 0, viewer: 0, service: 0 };
  const byHolder = new Map<string, number>();
  let bytes = 0;

  const refusalOf = (arrival: Arrival, ofHolder: number): ShedReason | null => {
    const max = limits.inFlight[arrival.class];
    if (taken[arrival.class] >= max) return "in flight";
    if (arrival.class !== "service" && ofHolder >= Math.max(1, max * HOLDER_SHARE)) return "one holder";
    if (bytes + arrival.bytes > limits.bodyBytes && arrival.class !== "service") return "bytes";
    return loop.refuses(arrival.class) ? "event loop" : null;
  };

  return {
    enter(arrival) {
      const key = `${arrival.class} ${arrival.holder}`;
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

/** How late the event loop is. */
export interface EventLoop {
  /** Whether it has been late for a second. */
  isLate(): boolean;
  refuses(loadClass: LoadClass): boolean;
  close(): void;
}

/** Samples how late a timer is. */
function watchEventLoop(lagMs: number): EventLoop {
  const lateness = createLateness(lagMs);
  let sampledAt = performance.now();
  const sample = (): void => {
    const nowMs = performance.now();
    lateness.sample(nowMs, nowMs - sampledAt - SAMPLE_MS);
    sampledAt = nowMs;
  };
  const timer = setInterval(sample, SAMPLE_MS).unref();
  return { ...lateness, close: () => clearInterval(timer) };
}

/** Judges samples of lateness, in ms: which of them stand for a queue. */
export function createLateness(lagMs: number) {
  /** Since when every sample was that late; null while one was not. */
  const since: Record<"once" | "manifold", number | null> = { once: null, manifold: null };
  let latest = 0;
  const lasts = (start: number | null): boolean => start !== null && latest - start >= STANDING_MS;
  return {
    sample(nowMs: number, lateMs: number): void {
      latest = nowMs;
      since.once = lateMs > lagMs ? (since.once ?? nowMs) : null;
      since.manifold = lateMs > USERS_LAG * lagMs ? (since.manifold ?? nowMs) : null;
    },
    isLate: () => lasts(since.once),
    refuses: (loadClass: LoadClass): boolean => loadClass !== "service" && lasts(loadClass === "viewer" ? since.manifold : since.once),
  };
}
