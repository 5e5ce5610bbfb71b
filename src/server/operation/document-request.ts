/**
 * How a request names its document, over HTTP (body or query
 * string) and WebSocket (payload of `subscribe`): `query`,
 * `documentId` (GraphQL over HTTP, appendix "Persisted
 * Documents"), or `extensions.persistedQuery` (Apollo). The
 * pipeline behind always gets the document itself.
 */

import type { Principal } from "../../domain/account/principal.js";
import { BadUserInput } from "../../domain/errors.js";
import type {
  FoundDocument,
  NamedDocument,
  PersistedDocuments,
} from "../../services/persisted-documents.js";
import { refuseLongNames, refuseLongOperationName } from "./names.js";

/** Parameters as they came; the pipeline rejects wrong types. */
export interface RequestParameters {
  readonly query?: unknown;
  readonly operationName?: unknown;
  readonly documentId?: unknown;
  readonly extensions?: unknown;
}

/** With `query`, and without the names that stood for it. */
export interface ResolvedRequest<T extends RequestParameters> {
  readonly parameters: T;
  /** Whether the document came together with its hash. */
  readonly isRegistered: boolean;
  /** See {@link FoundDocument.keep}. */
  keep(): void;
}

/**
 * Resolves the document of a request and checks its names. Throws
 * what {@link PersistedDocuments.find} throws, NameTooLong, and
 * BadUserInput for `operationName`.
 */
export async function resolveDocument<T extends RequestParameters>(
  documents: PersistedDocuments,
  parameters: T,
  principal: Principal,
): Promise<ResolvedRequest<T>> {
  refuseLongOperationName(parameters.operationName);
  const named = readNames(parameters);
  // Stored documents were checked before.
  if (named.query) refuseLongNames(named.query);
  const isNamed = named.documentId !== undefined || named.sha256 !== undefined;
  const isRegistered = named.sha256 !== undefined && Boolean(named.query);
  if (!isNamed && !(documents.restricted && named.query))
    return { parameters, isRegistered, keep: () => {} };
  const { source, keep }: FoundDocument = await documents.find(named, principal);
  const { documentId: _, extensions, ...others } = parameters;
  return {
    parameters: { ...others, query: source, ...withoutHash(extensions) } as unknown as T,
    isRegistered,
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

/** Without null and empty parameters: these count as absent. */
export function withoutEmpty<T extends object>(parameters: T): T {
  const isEmpty = ([name, value]: [string, unknown]) => PARAMETERS.has(name) && isBlank(value);
  const given = Object.entries(parameters);
  if (!given.some(isEmpty)) return parameters;
  return Object.fromEntries(given.filter((entry) => !isEmpty(entry))) as T;
}

const isBlank = (value: unknown): boolean => value === null || value === "";

/** Whether a value is an object, and no list. */
export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/**
 * Ids of the appendix: a hash, an application's kind, an
 * operator's own.
 */
const DOCUMENT_ID = /^(?:sha256:[0-9a-f]{64}|x-[\w.~-]+:[\w.~-]+|[\w.~-]+)$/;
const MAX_ID_CHARACTERS = 256;
/** APQ clients with a manifest send its ids in place of a hash. */
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
