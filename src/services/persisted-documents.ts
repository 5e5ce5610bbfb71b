/**
 * Persisted documents, named by id or hash. Ids come
 * from the operator's manifest. Hashes name documents
 * that some client sent before (Apollo's automatic
 * persisted queries, APQ).
 *
 * In the mode `only`, documents outside the manifest are
 * refused, also when sent whole. The service token may run
 * any. Redis down: documents outside this process's memory
 * are not found, and clients send them whole.
 */
import { LRUCache } from "lru-cache";
import type { Principal } from "../domain/account/principal.js";
import { BadUserInput, Forbidden, PersistedDocumentNotFound } from "../domain/errors.js";
import { sha256 } from "../domain/hash.js";
import type { DocumentStore } from "../redis/documents/documents.js";

/** Documents by id. */
export type DocumentManifest = ReadonlyMap<string, string>;

/**
 * How a request names its document: at least one of
 * these. An empty `query` counts as none.
 */
export interface NamedDocument {
  readonly query?: string | undefined;
  /** `sha256:<64 hex digits>`, or an id of the manifest. */
  readonly documentId?: string | undefined;
  /** SHA-256 in hex; with `query`, asks to store it. */
  readonly sha256?: string | undefined;
}

export interface FoundDocument {
  readonly source: string;
  /**
   * For valid documents only: stores it under its hash
   * where the client wanted that. Never throws.
   */
  keep(): void;
}

export interface PersistedDocuments {
  /** Whether a document sent whole may be refused. */
  readonly restricted: boolean;
  readonly manifest: DocumentManifest;
  /** Whether a source is in the manifest. */
  isPersisted(source: unknown): boolean;
  /**
   * Throws PersistedDocumentNotFound, Forbidden in the mode
   * `only`, and BadUserInput for names that contradict.
   */
  find(named: NamedDocument, principal: Principal): Promise<FoundDocument>;
}

export interface PersistedDocumentsDeps {
  readonly mode: "off" | "allow" | "only";
  readonly manifest: DocumentManifest;
  readonly store: DocumentStore;
}

/** Memory of this process: some thousand documents. */
const REMEMBERED_CHARACTERS = 1024 * 1024;
/** Makes APQ clients send documents whole from now on. */
const NOT_SUPPORTED = "PersistedQueryNotSupported";

export function createPersistedDocuments(deps: PersistedDocumentsDeps): PersistedDocuments {
  const { mode, manifest } = deps;
  const sources = new Set(manifest.values());
  const hashed = createHashedDocuments(deps);
  const ofId = async (id: string): Promise<string | null> => {
    const hash = /^sha256:(.*)$/.exec(id)?.[1];
    return hash === undefined ? (manifest.get(id) ?? null) : hashed.find(hash);
  };
  return {
    restricted: mode === "only",
    manifest,
    isPersisted: (source) => typeof source === "string" && sources.has(source),
    async find(named, principal) {
      const { query, documentId, sha256: hash = "" } = named;
      if (mode === "off" && (documentId !== undefined || hash !== ""))
        throw new BadUserInput(NOT_SUPPORTED);
      if (query) return admit({ mode, hashed }, query, named, principal);
      // APQ clients with a manifest send its ids as hashes.
      const source =
        documentId === undefined
          ? (manifest.get(hash) ?? (await hashed.find(hash)))
          : await ofId(documentId);
      if (!source) throw new PersistedDocumentNotFound();
      return { source, keep: () => {} };
    },
  };
}

type HashedDocuments = ReturnType<typeof createHashedDocuments>;

/** Documents by hash: in the manifest, in memory, in Redis. */
function createHashedDocuments({ mode, manifest, store }: PersistedDocumentsDeps) {
  const pinned = new Map([...manifest.values()].map((source) => [sha256Of(source), source]));
  const remembered = new LRUCache<string, string>({
    maxSize: REMEMBERED_CHARACTERS,
    sizeCalculation: ({ length }) => length + 1,
  });
  return {
    isPinned: (hash: string): boolean => pinned.has(hash),
    async find(hash: string): Promise<string | null> {
      const known = pinned.get(hash) ?? remembered.get(hash);
      if (known !== undefined || mode === "only") return known ?? null;
      const source = await store.find(hash);
      if (source !== null) remembered.set(hash, source);
      return source;
    },
    keep(hash: string, source: string): void {
      remembered.set(hash, source);
      void store.keep(hash, source);
    },
  };
}

/** Admits a document sent whole. */
function admit(
  { mode, hashed }: Pick<PersistedDocumentsDeps, "mode"> & { readonly hashed: HashedDocuments },
  query: string,
  { documentId, sha256: hash }: NamedDocument,
  principal: Principal,
): FoundDocument {
  if (documentId !== undefined) throw new BadUserInput("Send query or documentId, not both.");
  if (hash !== undefined && sha256Of(query) !== hash)
    throw new BadUserInput("sha256Hash is not the hash of query.");
  if (mode === "only" && principal.kind !== "service" && !hashed.isPinned(sha256Of(query)))
    throw new Forbidden(ONLY_PERSISTED);
  const wanted = hash !== undefined && mode === "allow";
  return { source: query, keep: () => (wanted ? hashed.keep(hash, query) : undefined) };
}

const ONLY_PERSISTED =
  "This server runs only documents that were persisted with it. Send the documentId of one; " +
  "ad hoc documents and the explorer are off.";

const sha256Of = (text: string): string => sha256(text, "hex");
