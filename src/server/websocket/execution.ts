import type { ExecutionArgs, GraphQLSchema } from "graphql";
import type { Context, SubscribePayload } from "graphql-ws";
import type { Logger } from "pino";
import type { ConsistencyTokens } from "../../services/consistency-tokens.js";
import type { PersistedDocuments } from "../../services/persisted-documents.js";
import type { LoadMetrics } from "../../telemetry/load-metrics.js";
import type { Metrics } from "../../telemetry/metrics.js";
import type { AnswerRequests } from "../answers/answer-request.js";
import type { StoredAnswers } from "../answers/stored-answers.js";
import type { AcknowledgedConnection, Connection } from "../connection/connection.js";
import type { SocketCounts } from "../connection/counts.js";
import type { MessageAllowance } from "../connection/message-allowance.js";
import type { SessionSockets } from "../connection/session-sockets.js";
import type { LoadShedder } from "../load.js";
import type { AdmissionDeps } from "../operation/admission.js";
import type { CallerRules } from "../operation/caller.js";
import type { OperationExecutor } from "../operation/executor.js";
import type { ErrorDetail } from "../operation/format-error.js";
import type { ObserveOperation } from "../operation/observe.js";
import type { CreateContext, Operation } from "../operation/operation.js";
import type { Cancellation } from "./cancellation.js";

export interface SocketOperationDeps extends AdmissionDeps {
  readonly schema: GraphQLSchema;
  readonly documents: PersistedDocuments;
  readonly executor: OperationExecutor;
  readonly answers: StoredAnswers;
  readonly answerRequests: AnswerRequests;
  readonly callers: CallerRules;
  readonly sessions: SessionSockets;
  readonly createContext: CreateContext;
  readonly maxOperations: number;
  readonly counts: SocketCounts;
  readonly load: LoadShedder;
  readonly shedding: Pick<LoadMetrics, "shed">;
  readonly allowance: MessageAllowance;
  readonly deadlineMs: number;
  /** Longest that a socket may lag behind. */
  readonly slowSocketMs: number;
  readonly seenTokens: Pick<ConsistencyTokens, "write">;
  readonly errors: ErrorDetail;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly observe: ObserveOperation;
}

/** What graphql-ws keeps with a socket. */
export interface SocketExtra {
  readonly connection: Connection;
  /** `connection_init` has come: nothing waits for it any more. */
  initReceived(): void;
}

/** A socket, as graphql-ws passes it to hooks. */
export type SocketContext = Context<Record<string, unknown>, SocketExtra>;

/** An operation, as graphql-ws passes it from hook to hook. */
export interface SocketExecution extends ExecutionArgs {
  /** The client's operation id. */
  readonly id: string;
  readonly cancellation: Cancellation;
  readonly operation: Operation;
  readonly connection: AcknowledgedConnection;
  readonly startedAt: number;
  /** The client's message; see {@link forgetStart}. */
  readonly payload: SubscribePayload;
}

/**
 * graphql-ws keeps an execution and its payload as long as the
 * subscription. A running one needs neither any more.
 */
export function forgetStart(execution: SocketExecution): void {
  clear(execution.payload);
  clear(execution);
}

/** Sets members to undefined: deleting them would take more memory. */
function clear(record: object): void {
  for (const name of Object.keys(record)) Reflect.set(record, name, undefined);
}
