/**
 * Apollo Server as the HTTP side of the pipeline: its request checks (CSRF, shapes, media types), parsing and validation; execution, errors and extensions are ours, as over WebSocket.
 *
 * Apollo copies the context it is given, field by field; resolvers must see the original (it replaces its loaders after a
 * write). So Apollo is given a holder, and the executor, installed through the `gateway` option, unwraps it. The cache-control
 * plugin would hook every field: it is off.
 */
import { ApolloServer, type ApolloServerPlugin, type BaseContext, type GraphQLRequestContext } from "@apollo/server";
import { ApolloServerPluginCacheControlDisabled, ApolloServerPluginLandingPageDisabled } from "@apollo/server/plugin/disabled";
import { GraphQLError, type GraphQLFormattedError, type GraphQLSchema, type ValidationRule } from "graphql";
import type { Logger } from "pino";
import { SoukError } from "../domain/errors.js";
import type { Operation } from "./context.js";
import type { CheckCost } from "./cost.js";
import { createDocumentStore } from "./documents.js";
import type { Executor } from "./executor.js";
import { formatError, isInternal, STATUS_OF_CODE, withRequestId } from "./format-error.js";

/** What Apollo carries for us through a request. */
export interface OperationHolder extends BaseContext {
  readonly operation: Operation;
}

/** What the HTTP side is made of. */
export interface ApolloParts {
  readonly schema: GraphQLSchema;
  readonly rules: readonly ValidationRule[];
  readonly maxTokens: number;
  readonly executor: Executor;
  readonly checkCost: CheckCost;
  readonly production: boolean;
  readonly log: Logger;
}

/** Makes the Apollo Server, not yet started. */
export function createApollo({
  schema,
  rules,
  maxTokens,
  executor,
  checkCost,
  production,
  log,
}: ApolloParts): ApolloServer<OperationHolder> {
  return new ApolloServer<OperationHolder>({
    gateway: gatewayOf(schema, executor),
    parseOptions: { maxTokens },
    validationRules: [...rules],
    documentStore: createDocumentStore(),
    // Documents are spelled out before they come here, as over WebSocket.
    persistedQueries: false,
    // Introspection is one of our rules, so that the WebSocket has it too.
    introspection: true,
    csrfPrevention: true,
    allowBatchedHttpRequests: false,
    includeStacktraceInErrorResponses: false,
    nodeEnv: production ? "production" : "development",
    stopOnTerminationSignals: false,
    stringifyResult: (result) => JSON.stringify(result),
    formatError: (_formatted, error) => formatError(error, { suggestions: !production }),
    logger: log,
    plugins: [ApolloServerPluginCacheControlDisabled(), ApolloServerPluginLandingPageDisabled(), operationPlugin(checkCost, log)],
  });
}

/** Our schema and executor in the shape of a gateway: the one way to bring an executor. */
function gatewayOf(schema: GraphQLSchema, execute: Executor) {
  type Gateway = NonNullable<ConstructorParameters<typeof ApolloServer<OperationHolder>>[0]["gateway"]>;
  const gateway: Gateway = {
    onSchemaLoadOrUpdate(announce) {
      announce({ apiSchema: schema, coreSupergraphSdl: "" });
      return () => {};
    },
    load: async () => ({
      executor: ({ document, request, context }) => {
        const { operation } = context as OperationHolder;
        return execute({ document, operationName: request.operationName, variables: request.variables, context: operation.context });
      },
    }),
    async stop() {},
  };
  return gateway;
}

/** Names the operation, logs what is ours to repair, and adds request id and cache report to the answer. */
function operationPlugin(checkCost: CheckCost, log: Logger): ApolloServerPlugin<OperationHolder> {
  return {
    async unexpectedErrorProcessingRequest({ requestContext, error }) {
      log.error({ err: error, requestId: requestContext.contextValue.operation.requestId }, "a request failed outside its operation");
    },
    async requestDidStart() {
      return {
        async didResolveOperation({ document, operation, operationName, request, contextValue }) {
          contextValue.operation.name = operationName;
          contextValue.operation.kind = operation?.operation ?? null;
          refusing(() => checkCost({ document, operationName: request.operationName, variables: request.variables }));
        },
        async didEncounterErrors({ errors, contextValue }) {
          logInternal(log, errors, contextValue.operation.requestId);
        },
        async willSendResponse(request) {
          finishAnswer(request);
        },
      };
    },
  };
}

/** Gives a refusal the status that Apollo is to answer with. */
function refusing<T>(check: () => T): T {
  try {
    return check();
  } catch (error) {
    if (!(error instanceof SoukError)) throw error;
    throw new GraphQLError(error.message, { originalError: error, extensions: { http: { status: STATUS_OF_CODE[error.code] } } });
  }
}

/** Logs the errors that clients are not shown, with their stack. */
export function logInternal(log: Logger, errors: readonly unknown[], requestId: string): void {
  for (const err of errors) if (isInternal(err)) log.error({ err, requestId }, "an operation failed");
}

function finishAnswer({
  response,
  contextValue: { operation },
}: Pick<GraphQLRequestContext<OperationHolder>, "response" | "contextValue">): void {
  if (response.body?.kind !== "single") return;
  const { singleResult } = response.body;
  if (singleResult.errors) singleResult.errors = withRequestId(singleResult.errors as GraphQLFormattedError[], operation.requestId);
  const cache = operation.cacheReport;
  if (cache) singleResult.extensions = { ...singleResult.extensions, cache };
}
