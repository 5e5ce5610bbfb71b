/**
 * Subscriptions over a WebSocket: snapshots by fan-out, with messages that are shared; everything
 * else with events of its own, of which the next is taken when the message before it has left the
 * process.
 */
import { randomUUID } from "node:crypto";
import { type ExecutionResult, GraphQLError } from "graphql";
import type { Metrics } from "../../telemetry/metrics.js";
import { createFanOut, type FanOut } from "../fan-out/fan-out.js";
import { createPlanner } from "../fan-out/plan.js";
import { payerOf } from "../operation/admission.js";
import { Operation } from "../operation/context.js";
import { isSource, mapEvents, openSource } from "../operation/subscription.js";
import { finish, run, sessionEnded } from "./answers.js";
import type { SocketExecution, SocketOperationParts } from "./execution.js";

/** What graphql-ws iterates, or why there is nothing to. */
type Opened = AsyncIterableIterator<ExecutionResult> | ExecutionResult;

/** Makes what opens the subscriptions of a server. */
export function createSubscriptions(
  parts: SocketOperationParts,
): (execution: SocketExecution) => Promise<Opened> {
  const fanOut = serveSnapshots(parts);
  return async (execution) => {
    const { operation, startedAt } = execution;
    const observe = (outcome: "answered" | "refused" | "failed") =>
      parts.observe(operation, {
        transport: "websocket",
        durationMs: performance.now() - startedAt,
        outcome,
      });
    try {
      const opened = await open(parts, fanOut, execution);
      const isOpen = Symbol.asyncIterator in opened;
      observe(isOpen ? "answered" : "refused");
      if (isOpen) operation.forgetEntry(execution.peer.caller);
      else operation.ended();
      return isOpen ? counted(opened, parts.metrics, operation) : finish(parts, opened, operation);
    } catch (error) {
      operation.ended();
      observe("failed");
      return finish(
        parts,
        { errors: [new GraphQLError("", { originalError: error as Error })] },
        operation,
      );
    }
  };
}

async function open(
  parts: SocketOperationParts,
  fanOut: FanOut,
  execution: SocketExecution,
): Promise<Opened> {
  const { document, operationName, variableValues: variables, peer, id, operation } = execution;
  const asked = { document, operationName, variables };
  return fanOut.serves(asked)
    ? fanOut.subscribe({ ...asked, peer, id, caller: operation.caller })
    : openAlone(parts, execution);
}

/** The fan-out over this pipeline. */
function serveSnapshots(parts: SocketOperationParts): FanOut {
  const { schema, deadlineMs, slowSocketMs, createContext, sessions, metrics, log } = parts;
  const operationFor = (caller: ConstructorParameters<typeof Operation>[0]): Operation => {
    const operation = new Operation(caller, randomUUID(), createContext);
    operation.kind = "subscription";
    return operation;
  };
  return createFanOut({
    plan: createPlanner(schema),
    allowance: parts.allowance,
    payerOf: (peer) => payerOf(parts.admission, peer),
    costOf(asked) {
      const cost = parts.checkCost(asked);
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
      const result = await run(
        parts,
        { document, operationName, variableValues: variables },
        operation,
        event,
      );
      return {
        answer: await finish(parts, result, operation),
        provisional: operation.isProvisional,
      };
    },
  });
}

/** A subscription with events of its own, looked up and executed for its caller alone. */
async function openAlone(parts: SocketOperationParts, execution: SocketExecution): Promise<Opened> {
  const { schema, document, operationName, variableValues, peer, operation } = execution;
  const source = await openSource(
    { schema, document, operationName, variableValues, contextValue: operation.context },
    parts.deadlineMs,
  );
  if (!isSource(source)) return source;
  return mapEvents(source, async (event) => {
    const caller = await parts.sessions.callerOf(peer, { used: false });
    if (!caller) return { errors: [sessionEnded()] };
    const perEvent = new Operation(caller, operation.requestId, parts.createContext);
    perEvent.kind = "subscription";
    parts.metrics.messages(1);
    return finish(parts, await run(parts, execution, perEvent, event), perEvent);
  });
}

/** Counts a running subscription until it ends, however it ends. */
function counted(
  stream: AsyncIterableIterator<ExecutionResult>,
  metrics: Metrics,
  operation: Operation,
): AsyncIterableIterator<ExecutionResult> {
  let running = true;
  const end = () => {
    if (running) metrics.subscriptions(-1);
    running = false;
    operation.ended();
  };
  metrics.subscriptions(1);
  return {
    async next() {
      try {
        const result = await stream.next();
        if (result.done) end();
        return result;
      } catch (error) {
        end();
        throw error;
      }
    },
    async return() {
      end();
      return (await stream.return?.()) ?? { done: true, value: undefined };
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
