/**
 * What went wrong, in words for people. Only failures that are no data come here; user errors of
 * payloads are shown beside their fields (src/ui/user-errors.tsx).
 */
import { CombinedGraphQLErrors, ServerError } from "@apollo/client";

export interface Failure {
  readonly message: string;
  /** How long to wait before the same can succeed. */
  readonly retryAfterMs: number;
}

interface ShopError {
  readonly message: string;
  readonly extensions?: {
    readonly code?: string;
    readonly retryAfterMs?: number;
    readonly requestId?: string;
  };
}

export function describeFailure(error: unknown): Failure {
  const [first] = errorsOf(error);
  const retryAfterMs = first?.extensions?.retryAfterMs ?? 0;
  return { message: first ? describe(first) : withoutAnswer(error), retryAfterMs };
}

function errorsOf(error: unknown): readonly ShopError[] {
  if (CombinedGraphQLErrors.is(error)) return error.errors as readonly ShopError[];
  return ServerError.is(error) ? parsed(error.bodyText) : [];
}

/** A proxy before the shop may answer anything. */
function parsed(bodyText: string): readonly ShopError[] {
  try {
    return (JSON.parse(bodyText) as { errors?: readonly ShopError[] }).errors ?? [];
  } catch {
    return [];
  }
}

/** Branches on codes alone: messages of the shop may change. */
function describe({ message, extensions = {} }: ShopError): string {
  switch (extensions.code) {
    case "RATE_LIMITED":
      return `That was too much at once. ${waitFor(extensions.retryAfterMs)}`;
    case "SERVICE_UNAVAILABLE":
    case "DEADLINE_EXCEEDED":
      return `The shop has trouble: ${message} ${waitFor(extensions.retryAfterMs)}`;
    case "UNAUTHENTICATED":
      return "Please sign in first.";
    case "INTERNAL_SERVER_ERROR":
      return `Something went wrong in the shop. If you report it, name ${extensions.requestId}.`;
    default:
      return message;
  }
}

function waitFor(ms = 0): string {
  if (ms === 0) return "Try again in a moment.";
  const seconds = Math.ceil(ms / 1_000);
  if (seconds < 120) return `Try again in ${seconds === 1 ? "a second" : `${seconds} seconds`}.`;
  return `Try again in ${Math.ceil(seconds / 60)} minutes.`;
}

function withoutAnswer(error: unknown): string {
  if (ServerError.is(error)) return `The shop answered with status ${error.statusCode}.`;
  if (!navigator.onLine) return "You are offline.";
  if (error instanceof TypeError) return "The shop cannot be reached. Try again in a moment.";
  return error instanceof Error ? error.message : "The connection was closed.";
}
