/**
 * Queries that are answered at once: bytes that came before, an
 * answer that is stored, an anonymous caller with credit.
 * Nothing is parsed and nothing is awaited. All others are read
 * as usual.
 */
import { LRUCache } from "lru-cache";
import type { AnswerRequest } from "../answers/answer-request.js";
import { extensionsOf, storedBytes } from "../answers/stored-body.js";
import { textPrice } from "../cost/document-price.js";
import type { CostReport } from "../cost/payment.js";
import { storedCharge } from "../operation/admission.js";
import type { ClaimedCaller } from "../operation/caller.js";
import type { ObserveOperation } from "../operation/observe.js";
import type { ArrivedRequest } from "./arrival.js";
import type { HttpExchange } from "./exchange.js";
import { rateLimitHeaders } from "./rate-limit-headers.js";
import { negotiate, type StoredAnswerDeps } from "./stored-answer.js";
import type { UnsentAnswers } from "./unsent-answers.js";

export interface WarmAnswerDeps extends StoredAnswerDeps {
  readonly observe: ObserveOperation;
  readonly unsent: UnsentAnswers;
}

/** Memory for bodies, in characters. */
const MAX_CHARACTERS = 2 * 1024 * 1024;
const MAX_BODIES = 2_000;

export class WarmAnswers {
  /** What a body asks for, by its bytes: the same for everyone. */
  private readonly asked = new LRUCache<string, AnswerRequest>({
    max: MAX_BODIES,
    maxSize: MAX_CHARACTERS,
    sizeCalculation: (_asked, body) => body.length + 1,
  });

  constructor(private readonly deps: WarmAnswerDeps) {}

  /** Remembers what a body asks for; it was answered from the store. */
  keep({ body }: HttpExchange, { claim }: ClaimedCaller, asked: AnswerRequest): void {
    if (body && claim.kind === "none" && textPrice(body.length) === 0)
      this.asked.set(keyOf(body), asked);
  }

  /** Answers a request; false where it has to be read. */
  answer(exchange: HttpExchange, { claimed, atMs }: ArrivedRequest): boolean {
    const { answers, admission, answerRequests, observe, unsent } = this.deps;
    const asked = exchange.body && this.asked.get(keyOf(exchange.body));
    const { caller, claim } = claimed;
    if (!asked || !answerRequests.mayServe(caller)) return false;
    const contentType = negotiate(exchange.headers.accept);
    const found = contentType === null ? null : answers.find(asked.key, caller.seen);
    if (!found || contentType === null) return false;
    const { requested, actual } = found.cost;
    const paid = admission.admitAtOnce(claim, storedCharge(found.cost));
    if (!paid) return false;
    const [own] = paid.buckets;
    const { limit = 0, remaining = 0, restorePerSecond = 0 } = own ?? {};
    const cost: CostReport = { requested, actual, limit, remaining, restorePerSecond };
    const rest = extensionsOf(cost);
    const body = found.text === null ? storedBytes(found, rest) : found.text + rest;
    // A large answer that may be refused takes the usual way.
    if (!unsent.admit(exchange.response, caller.client.ip, body.length)) {
      paid.settle(0);
      return false;
    }
    observe(
      { name: asked.name, kind: "query", requestId: exchange.id },
      { transport: "http", durationMs: performance.now() - atMs, outcome: "answered" },
    );
    const limits = rateLimitHeaders(paid.buckets);
    exchange.sendBytes(200, body, [
      ...["content-type", contentType, "cache-status", "souk; hit"],
      ...Object.entries(limits).flat(),
    ]);
    return true;
  }
}

/** One character a byte. */
const keyOf = (body: Buffer): string => body.toString("latin1");
