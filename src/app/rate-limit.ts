/** Limits, and who may come in: the limiter, the service token, and the documents that may run. */
import { SECOND } from "../domain/time/time.js";
import { createCallers, type RedisCallers } from "../redis/client/call.js";
import { connectRedis, inOneTurn } from "../redis/client/connect.js";
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

/** Longest wait for a document that was named by its hash; then the client is asked for it. */
const DOCUMENT_DEADLINE_MS = 100;
/** A limiter that is late is done without: a request waits for it this long, once. */
const LIMITER_DEADLINE_MS = 200;
/** An operation that ran out of time still settles. */
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

/** Authentication and limits, asked in one write. */
function openAdmission(options: OpenOptions, sessions: Sessions): Admission {
  const { infrastructure, config } = options;
  const { requests, metrics } = infrastructure;
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
    together: (send) => inOneTurn(requests, send),
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
 * On the connection of the other requests, so that one write asks both, unless it has a Redis of
 * its own.
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

/** Documents by name. */
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
