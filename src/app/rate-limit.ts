/**
 * Who may come in, and with what: the limiter, the service token, and the documents that may be
 * run.
 */
import type { Logger } from "pino";
import type { Config } from "../config/config.js";
import { SECOND } from "../domain/time/time.js";
import { createCallers, type RedisCallers } from "../redis/client/call.js";
import { connectRedis, inOneTurn } from "../redis/client/connect.js";
import { createDocumentStore } from "../redis/documents/documents.js";
import { createLimiter } from "../redis/rate-limiter/limiter.js";
import { readManifest } from "../server/operation/manifest.js";
import { createAuthenticate, createServiceCheck } from "../services/account/authenticate.js";
import type { Sessions } from "../services/account/sessions.js";
import {
  createPersistedDocuments,
  type PersistedDocuments,
} from "../services/persisted-documents.js";
import { type Admission, createAdmission } from "../services/rate-limit/admission.js";
import { createLimits } from "../services/rate-limit/limits.js";
import type { Closing } from "./disposer.js";
import type { Floor } from "./infrastructure.js";

/** Longest wait for a document that was named by its hash; then the client is asked for it. */
const DOCUMENT_DEADLINE_MS = 100;
/** A limiter that is late is done without: a request waits for it this long, once. */
const LIMITER_DEADLINE_MS = 200;
/** An operation that ran out of time still settles. */
const HOLD_GRACE_MS = 5 * SECOND;

/** What admission takes besides the floor. */
interface Admitting {
  readonly config: Config;
  readonly sessions: Sessions;
  readonly log: Logger;
}

/** Authentication and limits, asked in one write. */
export function openAdmission(
  floor: Floor,
  { config, sessions, log }: Admitting,
  closing: Closing,
): Admission {
  const { requests, metrics } = floor;
  const { limiter, breaker } = openLimiter(floor, { config, log }, closing);
  const { rates, processes, cost } = config.limits;
  const limits = createLimits({
    limiter,
    breaker,
    rules: rates,
    processes,
    largest: cost,
    telemetry: metrics,
  });
  return createAdmission({
    authenticate: createAuthenticate(config.adminToken, sessions),
    isService: createServiceCheck(config.adminToken),
    limits,
    together: (send) => inOneTurn(requests, send),
  });
}

/**
 * On the connection of the other requests, so that one write asks both, unless it has a Redis of
 * its own.
 */
function openLimiter(
  floor: Floor,
  { config, log }: Pick<Admitting, "config" | "log">,
  closing: Closing,
) {
  const breaker = limiterCallers(floor, { config, log }, closing).of("rate-limiter", {
    deadlineMs: LIMITER_DEADLINE_MS,
    degraded: {
      part: "limiter",
      instead: "each process counts by itself, with its share of the limits",
    },
  });
  const keepMs = config.http.requestTimeoutMs + HOLD_GRACE_MS;
  return { breaker, limiter: createLimiter(breaker, floor.keys, { keepMs }) };
}

function limiterCallers(
  { callers, conditions, metrics: telemetry, degradations }: Floor,
  { config, log }: Pick<Admitting, "config" | "log">,
  closing: Closing,
): RedisCallers {
  const { limiterUrl: url, caFile } = config.redis;
  if (url === undefined) return callers;
  const connection = connectRedis({ url, caFile, role: "requests", log });
  closing.add(() => connection.disconnect());
  conditions.watch("limiterRedis", connection);
  const own = createCallers({ connection, telemetry, degradations });
  closing.add(() => own.close());
  return own;
}

/** Documents by name. */
export function openDocuments({ callers, keys }: Floor, { documents }: Config): PersistedDocuments {
  const caller = callers.of("documents", {
    deadlineMs: DOCUMENT_DEADLINE_MS,
    degraded: { part: "documents", instead: "clients send documents whole" },
  });
  const store = createDocumentStore(caller, keys, documents);
  return createPersistedDocuments({
    mode: documents.mode,
    manifest: readManifest(documents),
    store,
  });
}
