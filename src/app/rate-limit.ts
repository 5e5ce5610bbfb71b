/**
 * Admission: the limiter, the service token, and the documents
 * that may run.
 */
import { SECOND } from "../domain/time/time.js";
import { createCallers, type RedisCallers } from "../redis/client/call.js";
import { connectRedis } from "../redis/client/connect.js";
import { createDocumentStore } from "../redis/documents/documents.js";
import { createLimiter } from "../redis/rate-limiter/limiter.js";
import { RateLimitResolver } from "../resolvers/rate-limit.js";
import { readManifest } from "../server/operation/manifest.js";
import { createAuthenticate } from "../services/account/authenticate.js";
import { createCredentialReader } from "../services/account/credential.js";
import type { Sessions } from "../services/account/sessions.js";
import {
  createPersistedDocuments,
  type PersistedDocuments,
} from "../services/persisted-documents.js";
import { type Admission, createAdmission } from "../services/rate-limit/admission.js";
import { createLimits, type LimitTelemetry } from "../services/rate-limit/limits.js";
import type { Metrics } from "../telemetry/metrics.js";
import { account } from "./account.js";
import { defineSubject, type OpenOptions } from "./module.js";

/**
 * Longest wait for a persisted document. Then the client is
 * asked for its text.
 */
const DOCUMENT_DEADLINE_MS = 100;
/**
 * Longest wait for the limiter, once. Requests then go on
 * without it.
 */
const LIMITER_DEADLINE_MS = 200;
/** An operation that ran out of time still settles its cost. */
const HOLD_GRACE_MS = 5 * SECOND;

export const rateLimit = defineSubject({
  name: "rate-limit",
  resolvers: [RateLimitResolver],
  open: (options) => ({
    serve(use) {
      const admission = openAdmission(options, use(account).sessions);
      const documents = openDocuments(options);
      return {
        services: { admission, documents },
        resolvers: [new RateLimitResolver(options.infrastructure.clock)],
      };
    },
  }),
});

/** Authentication and limits, in one write to Redis. */
function openAdmission(options: OpenOptions, sessions: Sessions): Admission {
  const { infrastructure, config } = options;
  const { metrics } = infrastructure;
  const { limiter, breaker } = openLimiter(options);
  const { rates, processes, cost } = config.limits;
  const limits = createLimits({
    limiter,
    breaker,
    rules: rates,
    processes,
    largest: cost,
    telemetry: limitMetrics(metrics),
  });
  return createAdmission({
    authenticate: createAuthenticate(sessions),
    readCredential: createCredentialReader(config.adminToken),
    limits,
  });
}

function openLimiter(options: OpenOptions) {
  const instead = "each process counts by itself, with its share of the limits";
  const deadlineMs = LIMITER_DEADLINE_MS;
  const callers = openLimiterCallers(options);
  const caller = callers.of("rate-limiter", { deadlineMs });
  const keepMs = options.config.http.requestTimeoutMs + HOLD_GRACE_MS;
  const limiter = createLimiter(caller, options.infrastructure.keys, { keepMs });
  return {
    breaker: callers.breaker({ deadlineMs, degraded: { part: "limiter", instead } }),
    limiter,
  };
}

/**
 * Shares the connection of the other requests, so that one write
 * asks both. A limiter with a Redis of its own has its own
 * connection.
 */
function openLimiterCallers({ infrastructure, config, log, disposer }: OpenOptions): RedisCallers {
  const { callers, conditions, metrics: telemetry, degradations } = infrastructure;
  const { limiterUrl: url, caFile } = config.redis;
  if (url === undefined) return callers;
  const connection = connectRedis({ url, caFile, role: "requests", log });
  disposer.add(() => connection.disconnect());
  conditions.watch("limiterRedis", connection);
  const own = createCallers({ connection, telemetry, degradations });
  disposer.add(() => own.close());
  return own;
}

/** Persisted documents. */
function openDocuments({ infrastructure, config }: OpenOptions): PersistedDocuments {
  const { callers, keys } = infrastructure;
  const { documents } = config;
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

function limitMetrics(metrics: Metrics): LimitTelemetry {
  const requests = metrics.counter({
    name: "souk_limit_requests_total",
    help:
      "Requests let in, by the kind of bucket that paid, or refused, by the one that was " +
      "empty.",
    labelNames: ["bucket", "outcome"],
  });
  return { limit: (bucket, outcome) => requests({ bucket, outcome }) };
}
