/**
 * Apollo Server as the HTTP side: its request checks (CSRF,
 * shapes, media types), and answers with errors. Documents,
 * execution, errors and extensions are ours, as over WebSocket.
 *
 * Apollo copies its context, but resolvers need the original: it
 * replaces its loaders after a write. So Apollo gets a holder,
 * which the executor of the `gateway` option unwraps. The
 * cache-control plugin would hook every field: it is off.
 */
import {
  ApolloServer,
  type ApolloServerPlugin,
  type BaseContext,
  type GraphQLRequestContext,
  HeaderMap,
} from "@apollo/server";
import {
  ApolloServerPluginCacheControlDisabled,
  ApolloServerPluginLandingPageDisabled,
} from "@apollo/server/plugin/disabled";
import {
  GraphQLError,
  type GraphQLFormattedError,
  type GraphQLSchema,
  type ValidationRule,
} from "graphql";
import type { Logger } from "pino";
import { SoukError } from "../../domain/errors.js";
import type { PreparedOperation } from "../cost/cost.js";
import { type AdmissionDeps, admitRequest } from "../operation/admission.js";
import type { ClaimedCaller } from "../operation/caller.js";
import type { DocumentCache } from "../operation/documents.js";
import type { OperationExecutor } from "../operation/executor.js";
import {
  formatError,
  isInternal,
  STATUS_OF_CODE,
  withRequestId,
} from "../operation/format-error.js";
import type { Operation } from "../operation/operation.js";

/** The context that Apollo carries. */
export interface OperationHolder extends BaseContext {
  readonly operation: Operation;
  readonly claimed: ClaimedCaller;
}

export interface ApolloDeps {
  readonly schema: GraphQLSchema;
  readonly rules: readonly ValidationRule[];
  readonly maxTokens: number;
  readonly executor: OperationExecutor;
  readonly admissionDeps: AdmissionDeps;
  /** Holds the document of every request that comes here. */
  readonly documentStore: DocumentCache;
  readonly production: boolean;
  readonly log: Logger;
}

/** Not started yet. */
export function createApollo(deps: ApolloDeps): ApolloServer<OperationHolder> {
  const { schema, rules, maxTokens, executor, admissionDeps, production, log } = deps;
  return new ApolloServer<OperationHolder>({
    gateway: gatewayOf(schema, executor),
    parseOptions: { maxTokens },
    validationRules: [...rules],
    documentStore: deps.documentStore,
    // Documents are resolved before they come here.
    persistedQueries: false,
    // One of our rules decides, so that the WebSocket has it too.
    introspection: true,
    csrfPrevention: true,
    allowBatchedHttpRequests: false,
    includeStacktraceInErrorResponses: false,
    nodeEnv: production ? "production" : "development",
    stopOnTerminationSignals: false,
    stringifyResult: (result) => JSON.stringify(result),
    formatError: (_formatted, error) => formatError(error, { suggestions: !production }),
    logger: log,
    plugins: [
      ApolloServerPluginCacheControlDisabled(),
      ApolloServerPluginLandingPageDisabled(),
      operationPlugin(admissionDeps, log),
    ],
  });
}

/** A gateway is the only way to bring an executor. */
function gatewayOf(schema: GraphQLSchema, executor: OperationExecutor) {
  type Gateway = NonNullable<
    ConstructorParameters<typeof ApolloServer<OperationHolder>>[0]["gateway"]
  >;
  const gateway: Gateway = {
    onSchemaLoadOrUpdate(announce) {
      announce({ apiSchema: schema, coreSupergraphSdl: "" });
      return () => {};
    },
    load: async () => ({
      executor: async ({ document, request, context }) => {
        const { operation } = context as OperationHolder;
        // Returned from here, so that they are formatted like
        // execution errors.
        if (operation.invalid) return { errors: operation.invalid };
        const { operationName, variables } = request;
        if (!operation.result)
          await operation.execute(executor, { document, operationName, variables });
        return operation.result ?? {};
      },
    }),
    async stop() {},
  };
  return gateway;
}

/**
 * Names and admits the operation, and logs internal errors. Adds
 * request id, cost and cache report.
 */
function operationPlugin(
  admissionDeps: AdmissionDeps,
  log: Logger,
): ApolloServerPlugin<OperationHolder> {
  return {
    async unexpectedErrorProcessingRequest({ requestContext, error }) {
      log.error(
        { err: error, requestId: requestContext.contextValue.operation.requestId },
        "a request failed outside its operation",
      );
    },
    async requestDidStart() {
      return {
        async didResolveOperation({ document, operation, operationName, request, contextValue }) {
          contextValue.operation.name = operationName;
          contextValue.operation.kind = operation?.operation ?? null;
          await admitOnce(admissionDeps, contextValue, {
            document,
            operationName: request.operationName,
            variables: request.variables,
          });
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

/** Admits an operation that was not admitted before. Throws its rejection. */
async function admitOnce(
  deps: AdmissionDeps,
  { operation, claimed }: OperationHolder,
  priced: PreparedOperation,
): Promise<void> {
  const { hasPaid, invalid, rejection } = operation;
  if (!hasPaid && !invalid && rejection === null)
    await admitRequest(deps, operation, claimed, priced);
  if (operation.rejection !== null) throw refuseRequest(operation.rejection);
}

/** A rejection with the status and header for Apollo to send. */
function refuseRequest(error: unknown): unknown {
  if (!(error instanceof SoukError)) return error;
  const headers = new HeaderMap(
    error.code === "UNAUTHENTICATED" ? [["www-authenticate", "Bearer"]] : [],
  );
  return new GraphQLError(error.message, {
    originalError: error,
    extensions: {
      http: {
        status: STATUS_OF_CODE[error.code],
        headers: headers as unknown as Record<string, string>,
      },
    },
  });
}

/** Each item of a list may fail: these show what is wrong. */
const MAX_LOGGED_ERRORS = 5;

/**
 * Logs internal errors with their stack: the first few, and their
 * number.
 */
export function logInternal(log: Logger, errors: readonly unknown[], requestId: string): void {
  const internal = errors.filter(isInternal);
  for (const err of internal.slice(0, MAX_LOGGED_ERRORS))
    log.error({ err, requestId, errors: internal.length }, "an operation failed");
}

function finishAnswer({
  response,
  contextValue: { operation },
}: Pick<GraphQLRequestContext<OperationHolder>, "response" | "contextValue">): void {
  if (response.body?.kind !== "single") return;
  const { singleResult } = response.body;
  if (singleResult.errors)
    singleResult.errors = withRequestId(
      singleResult.errors as GraphQLFormattedError[],
      operation.requestId,
    );
  const { extensions } = operation;
  if (extensions) singleResult.extensions = { ...singleResult.extensions, ...extensions };
}
