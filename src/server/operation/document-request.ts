/**
 * How a request names its document, the same over HTTP (body or query string) and WebSocket
 * (payload of `subscribe`): `query`, `documentId` (GraphQL over HTTP, appendix "Persisted
 * Documents"), or `extensions.persistedQuery` (Apollo). Whatever the name, the pipeline behind gets
 * a request with the document spelled out.
 */

import type { Principal } from "../../domain/account/principal.js";
import { BadUserInput } from "../../domain/errors.js";
import type {
  FoundDocument,
  NamedDocument,
  PersistedDocuments,
} from "../../services/persisted-documents.js";
import { refuseLongNames, refuseLongOperationName } from "./names.js";

/**
 * The parameters of a request, as they came; whatever has another type than it should is left for
 * the pipeline to refuse.
 */
export interface RequestParameters {
  readonly query?: unknown;
  readonly operationName?: unknown;
  readonly documentId?: unknown;
  readonly extensions?: unknown;
}

/** Spelled out: with `query`, and without the names that stood for it. */
export interface ResolvedRequest<T extends RequestParameters> {
  readonly parameters: T;
  /** See {@link FoundDocument.keep}. */
  keep(): void;
}

/**
 * Spells the document of a request out, with every name within its bound. Throws what {@link
 * PersistedDocuments.find} throws, NameTooLong, and BadUserInput for `operationName`.
 */
export async function resolveDocument<T extends RequestParameters>(
  documents: PersistedDocuments,
  parameters: T,
  principal: Principal,
): Promise<ResolvedRequest<T>> {
  refuseLongOperationName(parameters.operationName);
  const named = readNames(parameters);
  // A document that is found by an id was held to this before it was kept.
  if (named.query) refuseLongNames(named.query);
  const isNamed = named.documentId !== undefined || named.sha256 !== undefined;
  if (!isNamed && !(documents.restricted && named.query)) return { parameters, keep: () => {} };
  const { source, keep }: FoundDocument = await documents.find(named, principal);
  const { documentId: _, extensions, ...others } = parameters;
  return {
    parameters: { ...others, query: source, ...withoutHash(extensions) } as unknown as T,
    keep,
  };
}

const PARAMETERS: ReadonlySet<string> = new Set([
  "query",
  "documentId",
  "operationName",
  "variables",
  "extensions",
]);

/** The parameters of a request without those that are null or empty: these count as absent. */
export function withoutEmpty<T extends object>(parameters: T): T {
  const isEmpty = ([name, value]: [string, unknown]) => PARAMETERS.has(name) && isBlank(value);
  const given = Object.entries(parameters);
  if (!given.some(isEmpty)) return parameters;
  return Object.fromEntries(given.filter((entry) => !isEmpty(entry))) as T;
}

const isBlank = (value: unknown): boolean => value === null || value === "";

/** Whether a value is an object with members. */
export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/**
 * The ids that the appendix knows: a hash, one of an application's own kind, or one of the
 * operator's own making.
 */
const DOCUMENT_ID = /^(?:sha256:[0-9a-f]{64}|x-[\w.~-]+:[\w.~-]+|[\w.~-]+)$/;
const MAX_ID_CHARACTERS = 256;
/** Clients of APQ that were built with a manifest send its ids in place of a hash. */
const HASH = /^[\w.~-]{1,256}$/;

function readNames({ query, documentId, extensions }: RequestParameters): NamedDocument {
  const hash = isRecord(extensions) ? extensions.persistedQuery || undefined : undefined;
  return {
    query: typeof query === "string" ? query : undefined,
    documentId: documentId === undefined || isBlank(documentId) ? undefined : readId(documentId),
    sha256: hash === undefined ? undefined : readHash(hash),
  };
}

function readId(documentId: unknown): string {
  if (
    typeof documentId === "string" &&
    documentId.length <= MAX_ID_CHARACTERS &&
    DOCUMENT_ID.test(documentId)
  )
    return documentId;
  throw new BadUserInput(
    "documentId is not the id of a document: `sha256:<64 hexadecimal digits>`, or one of the " +
      "server's manifest.",
  );
}

function readHash(persisted: unknown): string {
  if (
    isRecord(persisted) &&
    persisted.version === 1 &&
    typeof persisted.sha256Hash === "string" &&
    HASH.test(persisted.sha256Hash)
  )
    return persisted.sha256Hash;
  throw new BadUserInput(
    "extensions.persistedQuery must be { version: 1, sha256Hash: <hash of the document> }.",
  );
}

function withoutHash(extensions: unknown): { readonly extensions?: unknown } {
  if (!isRecord(extensions)) return extensions === undefined ? {} : { extensions };
  const { persistedQuery: _, ...others } = extensions;
  return { extensions: others };
}
