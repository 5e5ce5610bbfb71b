/** Calls listeners of topics. One that throws stops no other. */
import type { Logger } from "pino";
import type { Topic, TopicKind, TopicPayloads } from "../../domain/events/events.js";
import { payloadOf } from "./payloads.js";

/** Parses messages for a listener; drops and logs what is not ours. */
export function messageListener<K extends TopicKind>(
  topic: Topic<K>,
  onMessage: (payload: TopicPayloads[K]) => void,
  log: Logger,
): (raw: unknown) => void {
  return (raw) => {
    const { success, data, error } = payloadOf(topic.kind).safeParse(raw);
    if (success) guarded(log, topic, () => onMessage(data));
    else
      log.warn({ topic, issues: error.issues.length }, "dropped a message that is not one of ours");
  };
}

/** Messages of a topic, or (undefined) of any, may have been missed. */
export type ResyncListener = (topic: Topic | undefined) => void;

/** The listeners of resyncs. */
export class ResyncListeners {
  private readonly listeners = new Set<ResyncListener>();

  constructor(private readonly log: Logger) {}

  /** Returns what removes it. */
  add(listener: ResyncListener): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }

  announce(topic: Topic | undefined): void {
    for (const listener of this.listeners) guarded(this.log, topic, () => listener(topic));
  }

  clear(): void {
    this.listeners.clear();
  }
}

function guarded(log: Logger, topic: Topic | undefined, call: () => void): void {
  try {
    call();
  } catch (err) {
    log.error({ err, topic }, "a listener failed");
  }
}
