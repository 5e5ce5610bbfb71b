/** One operation of a caller: its context, its payment and its answer. */
import type { ExecutionResult, GraphQLError } from "graphql";
import type { RateLimited } from "../../domain/errors.js";
import type { BucketStatus } from "../../domain/limits.js";
import type { ReadTrace } from "../../domain/reading/answer-tags.js";
import type { ConsistencyToken } from "../../domain/reading/consistency-token.js";
import type { ReadOutcome } from "../../domain/reading/read-context.js";
import type { RequestContext } from "../../resolvers/context.js";
import type { ReadsAhead } from "../../resolvers/reads-ahead.js";
import type { PreparedOperation } from "../cost/cost.js";
import type { CostReport, OperationPayment } from "../cost/payment.js";
import type { Permit } from "../load.js";
import type { Caller } from "./caller.js";
import type { OperationExecutor, OperationKind } from "./executor.js";

export type CreateContext = (
  init: Pick<Caller, "seen" | "bypass" | "principal" | "client" | "guest"> & {
    readonly requestId: string;
    readonly buckets: readonly BucketStatus[];
    readonly trace: ReadTrace | null;
    readonly ahead: ReadsAhead;
  },
) => RequestContext;

export interface AnswerExtensions {
  readonly cost?: CostReport;
  readonly cache?: ReadOutcome;
}

const NOTHING = (): void => {};
const NO_READS: ReadsAhead = {};

/** One operation of a caller, from admission to its answer. */
export class Operation {
  /**
   * Null for an anonymous operation, or before its document is
   * read.
   */
  name: string | null = null;
  /** Null before its document is read. */
  kind: OperationKind | null = null;
  /** The buckets that charged or rejected it. */
  buckets: readonly BucketStatus[] = [];
  /** Set when it was rate limited. */
  refusal: RateLimited | null = null;
  /**
   * Its permit of the process; null over HTTP, where the request
   * has it.
   */
  permit: Permit | null = null;
  /** Errors of its input; nothing has run. */
  invalid: readonly GraphQLError[] | null = null;
  /** Set when it was rejected; Apollo answers it. */
  rejection: unknown = null;
  /** Set when it was executed. */
  result: ExecutionResult | null = null;
  /** Follows its reads where its answer is to be stored. */
  trace: ReadTrace | null = null;
  /** Its reads that began before its caller was confirmed. */
  ahead: ReadsAhead = NO_READS;
  /** Releases what is counted while it runs. */
  onEnd: () => void = NOTHING;
  private payment: OperationPayment | null = null;
  private execution: { readonly context: RequestContext; readonly seen: ConsistencyToken } | null =
    null;

  /** @param caller its principal is known after admission */
  constructor(
    public caller: Caller,
    readonly requestId: string,
    private readonly createContext: CreateContext,
    /**
     * Arrival on the monotonic clock, in ms: its deadline runs
     * from here.
     */
    readonly startedAtMs = performance.now(),
  ) {}

  /** Made on first use: a rejected request needs none. */
  get context(): RequestContext {
    if (!this.execution) {
      const { principal, client, guest, seen, bypass } = this.caller;
      const { requestId, buckets, trace, ahead } = this;
      const context = this.createContext({
        principal,
        client,
        guest,
        seen,
        bypass,
        requestId,
        buckets,
        trace,
        ahead,
      });
      this.execution = { context, seen: context.reading.seen };
    }
    return this.execution.context;
  }

  /** Whether its cost is charged. */
  get hasPaid(): boolean {
    return this.payment !== null;
  }

  recordPayment(payment: OperationPayment): void {
    this.payment = payment;
    this.buckets = payment.buckets;
  }

  /** Executes it, and settles its cost. Its input is valid. */
  async execute(executor: OperationExecutor, prepared: PreparedOperation): Promise<void> {
    this.finish(await this.run(executor, prepared));
  }

  /** Has its result, and settles its cost by that. */
  finish(result: ExecutionResult): void {
    this.result = result;
    this.settle(result);
  }

  /** Executes some of it. */
  async run(executor: OperationExecutor, prepared: PreparedOperation): Promise<ExecutionResult> {
    const { document, operationName, variables } = prepared;
    const { kind, startedAtMs, context } = this;
    return executor({ document, operationName, variables, kind, startedAtMs, context });
  }

  /** The same for a part of it, whose reads are followed; it pays nothing. */
  followedBy(trace: ReadTrace): Operation {
    const { caller, requestId, createContext, startedAtMs } = this;
    const part = new Operation(caller, requestId, createContext, startedAtMs);
    part.kind = this.kind;
    part.trace = trace;
    return part;
  }

  /**
   * Settles its cost by the answer, or without one; only the
   * first counts.
   */
  settle(result: ExecutionResult | null): void {
    this.noteBucket((payment) => payment.settle(result));
  }

  /** Settles a cost that is known from an equal answer. */
  settleAt(actual: number): void {
    this.noteBucket((payment) => payment.settleAt(actual));
  }

  /** Gives its cost back: it is admitted anew. */
  takeBackPayment(): void {
    this.payment?.settleAt(0);
    this.payment = null;
    this.buckets = [];
  }

  private noteBucket(settle: (payment: OperationPayment) => BucketStatus | undefined): void {
    if (!this.payment || this.payment.report) return;
    const bucket = settle(this.payment);
    if (bucket) this.buckets = [bucket, ...this.buckets.slice(1)];
  }

  /**
   * A subscription has begun and may run for days: frees its
   * admission.
   */
  releaseAdmission(socketCaller: Caller): void {
    this.caller = socketCaller;
    this.payment = null;
    this.buckets = [];
    this.execution = null;
  }

  /**
   * Hands over what {@link onEnd} releases, so that a subscription
   * need not keep its operation.
   */
  takeEnd(): () => void {
    const { onEnd } = this;
    this.onEnd = NOTHING;
    return onEnd;
  }

  /** Idempotent. */
  end(): void {
    this.permit?.release();
    this.onEnd();
    this.onEnd = NOTHING;
  }

  get costReport(): CostReport | null {
    return this.payment?.report ?? null;
  }

  /**
   * The consistency token for the client; null when nothing was
   * written.
   */
  get written(): ConsistencyToken | null {
    const seen = this.execution?.context.reading.seen;
    return this.kind === "mutation" && seen && seen !== this.execution?.seen ? seen : null;
  }

  /**
   * The session for the cookie; null clears it, undefined leaves
   * it.
   */
  get keptSession(): string | null | undefined {
    return this.execution?.context.keptSession;
  }

  /**
   * The guest's token for the client; null clears it, undefined
   * leaves it.
   */
  get keptGuest(): string | null | undefined {
    return this.execution?.context.keptGuest;
  }

  /** Whether a fallback answered for some of it. */
  get isProvisional(): boolean {
    return this.execution?.context.reading.isProvisional ?? false;
  }

  /** What its answer says beside the data; undefined for nothing. */
  get extensions(): AnswerExtensions | undefined {
    const { cacheReport: cache, costReport: cost } = this;
    return cache || cost ? { ...(cost && { cost }), ...(cache && { cache }) } : undefined;
  }

  /** Null where not wanted, or where nothing was read. */
  private get cacheReport(): ReadOutcome | null {
    return this.caller.reportCache ? (this.execution?.context.reading.outcome ?? null) : null;
  }
}
