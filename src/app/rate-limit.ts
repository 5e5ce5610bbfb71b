/**
 * Who may come in, and with what: the limiter, the service token, and the documents that may be
 * run.
 */
import type { Logger } from "pino";
import type { Config } from "../config/config.js";
import { SECOND } from "../domain/time/time.js";
import { createBreaker } from "../redis/client/breaker.js";
import { connectRedis, inOneTurn } from "../redis/client/connect.js";
import { createDocumentStore } from "../redis/documents/documents.js";
import { createLimiter } from "../redis/rate-limiter/limiter.js";
import { readManifest } from "../server/operation/manifest.js";
import { createAuthenticate } from "../services/account/authenticate.js";
import { createCredentialReader } from "../services/account/credential.js";
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
  const { requests, metrics, degradations } = floor;
  const { limiter, connection } = openLimiter(floor, { config, log }, closing);
  const instead = "each process counts by itself, with its share of the limits";
  const breaker = createBreaker(
    { connection, report: degradations.of("limiter") },
    { instead, deadlineMs: LIMITER_DEADLINE_MS },
  );
  closing.add(() => breaker.close());
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
    authenticate: createAuthenticate(sessions),
    readCredential: createCredentialReader(config.adminToken),
    limits,
    together: (send) => inOneTurn(requests, send),
  });
}

/**
 * On the connection of the other requests, so that one write asks both, unless it has a Redis of
 * its own.
 */
function openLimiter(
  { requests, keys, conditions }: Floor,
  { config, log }: Pick<Admitting, "config" | "log">,
  closing: Closing,
) {
  const { limiterUrl: url, caFile } = config.redis;
  const connection =
    url === undefined ? requests : connectRedis({ url, caFile, role: "requests", log });
  if (connection !== requests) {
    closing.add(() => connection.disconnect());
    conditions.watch("limiterRedis", connection);
  }
  const keepMs = config.http.requestTimeoutMs + HOLD_GRACE_MS;
  return {
    connection,
    limiter: createLimiter(connection, keys, { keepMs, deadlineMs: LIMITER_DEADLINE_MS }),
  };
}

/** Documents by name. */
export function openDocuments(
  { requests, keys, degradations }: Floor,
  { documents }: Config,
  closing: Closing,
): PersistedDocuments {
  const deadlineMs = DOCUMENT_DEADLINE_MS;
  const report = degradations.of("documents");
  const breaker = createBreaker(
    { connection: requests, report },
    { instead: "clients send documents whole", deadlineMs },
  );
  closing.add(() => breaker.close());
  const store = createDocumentStore(requests, keys, { ...documents, deadlineMs, breaker });
  return createPersistedDocuments({
    mode: documents.mode,
    manifest: readManifest(documents),
    store,
  });
}
