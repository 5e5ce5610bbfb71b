/** The pipeline of operations, which HTTP and WebSocket share. */
import type { GraphQLSchema } from "graphql";
import type { Logger } from "pino";
import { accountConfig } from "../config/account.js";
import { type Config, settingsOf } from "../config/config.js";
import type { GuestPass } from "../domain/account/guest.js";
import type { TraceAnswer } from "../domain/reading/answer-tags.js";
import type { BeginReads } from "../resolvers/reads-ahead.js";
import type { ConsistencyTokens } from "../services/consistency-tokens.js";
import type { PersistedDocuments } from "../services/persisted-documents.js";
import type { Admission } from "../services/rate-limit/admission.js";
import type { Metrics } from "../telemetry/metrics.js";
import { createQuerySplitter, type SplitQuery } from "./answers/answer-parts.js";
import { type AnswerRequests, createAnswerRequests } from "./answers/answer-request.js";
import { StoredAnswers, type StoredOutcome } from "./answers/stored-answers.js";
import { createClientAddress } from "./client-address.js";
import { createMessageAllowance } from "./connection/message-allowance.js";
import { createCostCheck, createPrices } from "./cost/cost.js";
import { createArgumentCheck } from "./cost/input.js";
import { guestCookie, sessionCookie } from "./http/host-cookie.js";
import type { AdmissionDeps } from "./operation/admission.js";
import { createAnswerPlanner } from "./operation/answer-plan.js";
import type { Caller, CallerRules } from "./operation/caller.js";
import { createCompiledQueries } from "./operation/compiled-queries.js";
import { createDocumentReader } from "./operation/documents.js";
import { createExecutor } from "./operation/executor.js";
import { createObserver } from "./operation/observe.js";
import type { CreateContext } from "./operation/operation.js";
import { createReadAhead } from "./operation/read-ahead.js";
import { operationRules } from "./operation/rules.js";

export interface PipelineDeps {
  readonly traceAnswer: TraceAnswer;
  readonly config: Config;
  readonly schema: GraphQLSchema;
  readonly admission: Admission;
  /** The guest of a token. */
  admitGuest(token: string | undefined): GuestPass;
  readonly seenTokens: ConsistencyTokens;
  readonly documents: PersistedDocuments;
  readonly createOperation: CreateContext;
  readonly beginReads: BeginReads;
  readonly metrics: Metrics;
  readonly log: Logger;
}

export type Pipeline = ReturnType<typeof createPipeline>;

export function createPipeline(deps: PipelineDeps) {
  const {
    config,
    schema,
    log,
    metrics,
    admission,
    admitGuest,
    seenTokens,
    createOperation,
    documents,
  } = deps;
  const { limits, http, production, cache } = config;
  const { sessions } = settingsOf(config, accountConfig);
  const rules = operationRules(limits, http.explorer !== "off");
  const cookies = {
    sessionCookie: sessionCookie(production, sessions.capMs),
    guestCookie: guestCookie(production),
  };
  const callers: CallerRules = {
    readCredential: admission.readCredential,
    admitGuest,
    readSeen: seenTokens.read,
    addressOf: createClientAddress(http.trustedProxies),
    sessionCookie: cookies.sessionCookie.name,
    guestCookie: cookies.guestCookie.name,
    reportAlways: cache.report === "on",
  };
  const price = createPrices(schema);
  const compiled = http.compileQueries ? { compiled: createCompiledQueries(schema) } : {};
  const readsPastCache = ({ bypass, seen }: Caller) => bypass || seenTokens.ordersBypass(seen);
  const admissionDeps = {
    admission,
    readDocument: createDocumentReader({ schema, rules, maxTokens: limits.tokens }),
    checkCost: createCostCheck(price, limits.cost, createArgumentCheck(schema)),
    largest: limits.cost,
    readsPastCache,
  };
  return {
    rules,
    maxTokens: limits.tokens,
    allowance: createMessageAllowance(limits.rates),
    documents,
    ...admissionDeps,
    admissionDeps,
    executor: createExecutor({ schema, deadlineMs: http.requestTimeoutMs, limits, ...compiled }),
    callers,
    seenTokens,
    ...cookies,
    createContext: createOperation,
    readAhead: createReadAhead(deps.beginReads, admission),
    price,
    ...openAnswers(deps, admissionDeps),
    answerBytes: limits.answerBytes,
    errors: { suggestions: !production },
    observe: createObserver(log, metrics),
  };
}

/** Stored answers, with their metrics. */
function openStoredAnswers({ config, metrics, log, traceAnswer }: PipelineDeps): StoredAnswers {
  const outcomes = metrics.counter({
    name: "souk_stored_answers_total",
    help: "Stored answers: hits, stored and evicted ones, and why others were not stored.",
    labelNames: ["outcome"],
  });
  let hasWarned = false;
  const count = (outcome: StoredOutcome): void => {
    outcomes({ outcome });
    if (outcome !== "uncached" || hasWarned) return;
    hasWarned = true;
    log.warn(
      "a field that declares itself cached reads past the cache; its answers are not stored",
    );
  };
  const answers = new StoredAnswers({ trace: traceAnswer, count }, config.cache.storedAnswersBytes);
  metrics.addGauges({
    helps: {
      souk_stored_answers: "Answers that are stored now.",
      souk_stored_answers_bytes: "What they take, by estimate.",
    },
    async read() {
      const { answers: stored, bytes } = answers.size;
      return { souk_stored_answers: stored, souk_stored_answers_bytes: bytes };
    },
  });
  return answers;
}

/** Stored answers, and which operations and parts they may answer. */
function openAnswers(
  deps: PipelineDeps,
  { readDocument, readsPastCache }: Pick<AdmissionDeps, "readDocument" | "readsPastCache">,
) {
  const plan = createAnswerPlanner(deps.schema);
  const answerRequests: AnswerRequests = createAnswerRequests({
    plan,
    known: readDocument.known,
    readsPastCache,
  });
  const splitQuery: SplitQuery =
    deps.config.cache.storedAnswersBytes > 0 ? createQuerySplitter(deps.schema, plan) : () => null;
  return { answers: openStoredAnswers(deps), answerRequests, splitQuery };
}
