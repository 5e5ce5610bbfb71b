/**
 * Queries that are answered at once: bytes that came before, an
 * answer that is stored, a caller with credit. Nothing is
 * parsed, and only a session is awaited. All others are read as
 * usual.
 */
import { LRUCache } from "lru-cache";
import type { Paid } from "../../../services/rate-limit/limits.js";
import type { StoredAnswer, StoredCost } from "../../answers/stored-answer.js";
import { extensionsOf } from "../../answers/stored-body.js";
import { textPrice } from "../../cost/document-price.js";
import { storedCharge } from "../../operation/admission.js";
import type { ClaimedCaller } from "../../operation/caller.js";
import type { ObserveOperation } from "../../operation/observe.js";
import type { ArrivedRequest } from "../arrival.js";
import type { HttpDocument } from "../document.js";
import type { HttpExchange } from "../exchange.js";
import { rateLimitHeaders } from "../rate-limit-headers.js";
import type { UnsentAnswers } from "../unsent-answers.js";
import { acceptedType } from "./negotiation.js";
import { sharedGet, storedGet } from "./shared-get.js";
import type { StorableRequest, StoredAnswerDeps } from "./stored-answer.js";

export interface WarmAnswerDeps extends StoredAnswerDeps {
  readonly observe: ObserveOperation;
  readonly unsent: UnsentAnswers;
}

/** Memory for bodies, in bytes. */
const MAX_BYTES = 4 * 1024 * 1024;
/** What a body takes beyond its characters. */
const BODY_BYTES = 256;

/** What a request asks for. It holds no document alive. */
type KnownRequest = Pick<StorableRequest, "key" | "name" | "isShared">;

export class WarmAnswers {
  /** By the bytes of a body, or the URL of a GET: the same for all. */
  private readonly asked = new LRUCache<string, KnownRequest>({
    maxSize: MAX_BYTES,
    // The key of a GET has two bytes a character.
    sizeCalculation: ({ isShared }, body) => body.length * (isShared ? 2 : 1) + BODY_BYTES,
  });

  constructor(private readonly deps: WarmAnswerDeps) {}

  /** Remembers what a request asks for; it was answered from the store. */
  keep(
    exchange: HttpExchange,
    { claim }: ClaimedCaller,
    document: Pick<HttpDocument, "isRegistered">,
    { key, name, isShared }: StorableRequest,
  ): void {
    const bytes = keyOf(exchange);
    // A service token may name documents that others may not.
    if (claim.kind === "service" || textPrice(bytes.length) > 0) return;
    // Its document is kept for others each time.
    if (document.isRegistered) return;
    // Other answers to GET need a header that is not in the URL.
    if (exchange.body || isShared) this.asked.set(bytes, { key, name, isShared });
  }

  /**
   * Answers a request; false where it has to be read. Only a
   * session has to be waited for.
   */
  answer(exchange: HttpExchange, request: ArrivedRequest): boolean | Promise<boolean> {
    const { answers, admission, answerRequests } = this.deps;
    const asked = this.asked.get(keyOf(exchange));
    const { caller, claim } = request.claimed;
    if (!asked || !answerRequests.mayServe(caller)) return false;
    const contentType = acceptedType(exchange.headers);
    const cost = answers.costOf(asked.key);
    if (!cost || contentType === null) return false;
    const warm: WarmRequest = { exchange, request, asked, contentType };
    const charge = storedCharge(cost);
    if (claim.kind === "none") {
      const paid = admission.admitAtOnce(claim, charge);
      return paid !== null && this.answerPaid(warm, cost, paid);
    }
    // A flood of tokens is not looked up.
    if (admission.recentlyRejected(admission.payerOf(claim))) return false;
    return admission.admit(claim, { ...charge, varies: true }).then(
      ({ paid }) => paid !== null && this.answerPaid(warm, cost, paid),
      // A refusal is made where the request is read.
      () => false,
    );
  }

  /** False, and nothing is charged, where the answer is not for this client. */
  private answerPaid(warm: WarmRequest, cost: StoredCost, paid: Paid): boolean {
    const { seen } = warm.request.claimed.caller;
    const found = this.deps.answers.find(warm.asked.key, seen);
    if (found?.cost.actual === cost.actual && this.send(warm, found, paid)) return true;
    paid.settle(0);
    return false;
  }

  /** False where too much is unread by its address. */
  private send(warm: WarmRequest, found: StoredAnswer, paid: Paid): boolean {
    const { exchange, request, asked } = warm;
    const { status, headers, body } = asked.isShared
      ? this.sharedAnswer(warm, found)
      : withCost(warm, found, paid);
    const { ip } = request.claimed.caller.client;
    if (!this.deps.unsent.admit(exchange.response, ip, body.length)) return false;
    this.deps.observe(
      { name: asked.name, kind: "query", requestId: exchange.id },
      {
        transport: "http",
        durationMs: performance.now() - request.atMs,
        outcome: "answered",
      },
    );
    exchange.send(status, body, "latin1", headers);
    return true;
  }

  private sharedAnswer({ exchange, asked, contentType }: WarmRequest, found: StoredAnswer) {
    const get = sharedGet(this.deps, exchange, { contentType });
    const answer = storedGet(this.deps.answers, asked.key, found, get);
    return { ...answer, headers: [...answer.headers].flat() };
  }
}

const OK = 200;

/** A request whose body is known. */
interface WarmRequest {
  readonly exchange: HttpExchange;
  readonly request: ArrivedRequest;
  readonly asked: KnownRequest;
  readonly contentType: string;
}

/** What is stored, with the cost of this request and its limits. */
function withCost({ contentType }: WarmRequest, found: StoredAnswer, { buckets }: Paid) {
  const [own] = buckets;
  const { limit = 0, remaining = 0, restorePerSecond = 0 } = own ?? {};
  const rest = extensionsOf({ ...found.cost, limit, remaining, restorePerSecond });
  return {
    status: OK,
    headers: [
      ...["content-type", contentType, "cache-status", "souk; hit"],
      ...Object.entries(rateLimitHeaders(buckets)).flat(),
    ],
    body: found.endedBy(rest),
  };
}

/** Bodies have one character a byte, so none is equal to a GET. */
const keyOf = ({ method, url, body }: HttpExchange): string =>
  method === "GET" ? `\u0100${url}` : (body?.toString("latin1") ?? "");
