/**
 * Subscriptions over a WebSocket. Snapshots go through the
 * fan-out. Others have their own events. Each is taken when
 * the message before it has left the process.
 */
import { randomUUID } from "node:crypto";
import { type ExecutionResult, GraphQLError } from "graphql";
import type { Stream } from "../../domain/concurrency/stream.js";
import type { Metrics } from "../../telemetry/metrics.js";
import { createFanOut, type FanOut } from "../fan-out/fan-out.js";
import { payerOf } from "../operation/admission.js";
import { createAnswerPlanner } from "../operation/answer-plan.js";
import { Operation } from "../operation/operation.js";
import { isSource, mapEvents, openSource } from "../operation/subscription.js";
import { formatResult, runOperation, sessionEnded } from "./answers.js";
import { forgetStart, type SocketExecution, type SocketOperationDeps } from "./execution.js";

/** The stream for graphql-ws, or the errors why there is none. */
type OpenedSubscription = Stream<ExecutionResult> | ExecutionResult;

export function createSubscriptions(
  deps: SocketOperationDeps,
): (execution: SocketExecution) => Promise<OpenedSubscription> {
  const fanOut = createSnapshotFanOut(deps);
  return async (execution) => {
    const { operation, startedAt } = execution;
    const observe = (outcome: "answered" | "refused" | "failed") =>
      deps.observe(operation, {
        transport: "websocket",
        durationMs: performance.now() - startedAt,
        outcome,
      });
    try {
      const opened = await open(deps, fanOut, execution);
      const isOpen = Symbol.asyncIterator in opened;
      observe(isOpen ? "answered" : "refused");
      if (isOpen) {
        operation.releaseAdmission(execution.connection.caller);
        forgetStart(execution);
        return countedWhileRunning(opened, deps.metrics, operation.takeEnd());
      }
      operation.end();
      return formatResult(deps, opened, operation);
    } catch (error) {
      operation.end();
      observe("failed");
      return formatResult(
        deps,
        { errors: [new GraphQLError("", { originalError: error as Error })] },
        operation,
      );
    }
  };
}

async function open(
  deps: SocketOperationDeps,
  fanOut: FanOut,
  execution: SocketExecution,
): Promise<OpenedSubscription> {
  const {
    document,
    operationName,
    variableValues: variables,
    connection,
    id,
    operation,
  } = execution;
  const prepared = { document, operationName, variables };
  return fanOut.canShare(prepared)
    ? fanOut.subscribe({ ...prepared, connection, id, caller: operation.caller })
    : openUnshared(deps, execution);
}

function createSnapshotFanOut(deps: SocketOperationDeps): FanOut {
  const { schema, deadlineMs, slowSocketMs, createContext, sessions, metrics, log } = deps;
  const operationFor = (caller: ConstructorParameters<typeof Operation>[0]): Operation => {
    const operation = new Operation(caller, randomUUID(), createContext);
    operation.kind = "subscription";
    return operation;
  };
  return createFanOut({
    plan: createAnswerPlanner(schema),
    allowance: deps.allowance,
    payerOf: (connection) => payerOf(deps.admission, connection),
    costOf(prepared) {
      const cost = deps.checkCost(prepared);
      return ({ data, errors }) => cost?.actual(data, errors) ?? 0;
    },
    sessions,
    slowMs: slowSocketMs,
    metrics,
    log,
    open: ({ document, operationName, variables }, caller) =>
      openSource(
        {
          schema,
          document,
          operationName,
          variableValues: variables,
          contextValue: operationFor(caller).context,
        },
        deadlineMs,
      ),
    async execute({ document, operationName, variables }, caller, event) {
      const operation = operationFor(caller);
      const result = await runOperation(
        deps,
        { document, operationName, variableValues: variables },
        operation,
        event,
      );
      return {
        answer: await formatResult(deps, result, operation),
        provisional: operation.isProvisional,
      };
    },
  });
}

/**
 * A subscription with its own events, executed for its caller
 * alone.
 */
async function openUnshared(
  deps: SocketOperationDeps,
  execution: SocketExecution,
): Promise<OpenedSubscription> {
  const { schema, document, operationName, variableValues, connection, operation } = execution;
  // The execution itself is emptied once the subscription runs.
  const executed = { document, operationName, variableValues };
  const source = await openSource(
    { schema, document, operationName, variableValues, contextValue: operation.context },
    deps.deadlineMs,
  );
  if (!isSource(source)) return source;
  return mapEvents(source, async (event) => {
    const caller = await deps.sessions.callerOf(connection, { used: false });
    if (!caller) return { errors: [sessionEnded()] };
    const perEvent = new Operation(caller, operation.requestId, deps.createContext);
    perEvent.kind = "subscription";
    deps.metrics.messages(1);
    return formatResult(deps, await runOperation(deps, executed, perEvent, event), perEvent);
  });
}

/** Counts a subscription while it runs, however it ends. */
function countedWhileRunning(
  results: Stream<ExecutionResult>,
  metrics: Metrics,
  end: () => void,
): Stream<ExecutionResult> {
  metrics.subscriptions(1);
  return results.whenEnded(() => {
    metrics.subscriptions(-1);
    end();
  });
}
