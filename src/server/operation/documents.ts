/**
 * Parsed and validated documents, remembered by source. HTTP,
 * WebSocket and the manifest share one reader, so a document has
 * one fate.
 *
 * Reading a new document has a price (document-price.ts), paid
 * once, with its first operation. Documents of the manifest are
 * read at the start, pinned and free. Bounded by source text: a
 * syntax tree takes up to 130 bytes per character. That is 64 MB
 * at the very worst.
 */
import {
  type DocumentNode,
  GraphQLError,
  type GraphQLSchema,
  parse,
  SingleFieldSubscriptionsRule,
  specifiedRules,
  type ValidationRule,
  validate,
} from "graphql";
import { LRUCache } from "lru-cache";
import { NameTooLong } from "../../domain/errors.js";
import { sha256 } from "../../domain/hash.js";
import { countTokens, readingPrice } from "../cost/document-price.js";
import { refuseLongNames } from "./names.js";
import { subscriptionRootRule } from "./subscription-root.js";

const MAX_SOURCE_CHARACTERS = 512 * 1024;
const MAX_DOCUMENTS = 2_000;
const SHA256_DIGITS = 64;

/** By Apollo's keys, which end with the SHA-256 of a source. */
export interface DocumentCache {
  get(key: string): Promise<DocumentNode | undefined>;
  set(key: string, document: DocumentNode): Promise<void>;
  delete(key: string): Promise<boolean>;
}

export interface ReadingRules {
  readonly schema: GraphQLSchema;
  /** Besides those of the specification. */
  readonly rules: readonly ValidationRule[];
  readonly maxTokens: number;
}

/** Reads a source: its document, or the errors. Never throws. */
export interface DocumentReader {
  (source: string): DocumentNode | readonly GraphQLError[];
  /** Reads a document that stays for good and is free. */
  pin(source: string): DocumentNode | readonly GraphQLError[];
  /** The document of a source read before. */
  known(source: string): DocumentNode | undefined;
  /** The unpaid price of a document; the caller must charge it. */
  takeReadingPrice(document: DocumentNode): number;
  /** The same for a source, valid or not. */
  takeReadingPriceOf(source: string): number;
  /** For Apollo, which then reads nothing itself. */
  readonly store: DocumentCache;
}

export const isRefused = (
  read: DocumentNode | readonly GraphQLError[],
): read is readonly GraphQLError[] => !("kind" in read);

/** Parses and validates each source once, with Apollo's codes. */
export function createDocumentReader({ schema, rules, maxTokens }: ReadingRules): DocumentReader {
  const documents = createDocuments();
  const unpaid = new WeakSet<DocumentNode>();
  const allRules = [
    ...specifiedRules.map((rule) =>
      rule === SingleFieldSubscriptionsRule ? subscriptionRootRule : rule,
    ),
    ...rules,
  ];
  const check = (source: string): DocumentNode | readonly GraphQLError[] => {
    const document = parseSource(source, maxTokens);
    if (document instanceof GraphQLError) return [document];
    const errors = validateAll(schema, document, allRules);
    return errors.length > 0
      ? errors.map((error) => withCode(error, "GRAPHQL_VALIDATION_FAILED"))
      : document;
  };
  const read = (source: string): DocumentNode | readonly GraphQLError[] => {
    const known = documents.bySource(source);
    if (known) return known;
    const document = check(source);
    if (isRefused(document)) return document;
    documents.keep(source, document);
    unpaid.add(document);
    return document;
  };
  const takeReadingPrice = (document: DocumentNode): number =>
    unpaid.delete(document) ? readingPrice(document.tokenCount ?? maxTokens) : 0;
  return Object.assign(read, {
    pin(source: string) {
      const document = check(source);
      if (!isRefused(document)) documents.pin(source, document);
      return document;
    },
    known: documents.bySource,
    takeReadingPrice,
    takeReadingPriceOf(source: string) {
      const known = documents.bySource(source);
      return known ? takeReadingPrice(known) : readingPrice(countTokens(source, maxTokens));
    },
    store: storeOf(documents),
  });
}

/** Apollo finds what was read here; it reads nothing itself. */
const storeOf = ({ byHash }: ReturnType<typeof createDocuments>): DocumentCache => ({
  get: async (key) => byHash(key.slice(-SHA256_DIGITS)),
  set: async () => {},
  delete: async () => false,
});

/** Valid documents, by source and by hash. */
function createDocuments() {
  const byHash = new Map<string, DocumentNode>();
  const pinned = new Map<string, DocumentNode>();
  const recent = new LRUCache<string, { readonly document: DocumentNode; readonly hash: string }>({
    max: MAX_DOCUMENTS,
    maxSize: MAX_SOURCE_CHARACTERS,
    sizeCalculation: (_kept, source) => source.length + 1,
    dispose: ({ hash }) => byHash.delete(hash),
  });
  return {
    bySource: (source: string): DocumentNode | undefined =>
      pinned.get(source) ?? recent.get(source)?.document,
    byHash: (hash: string): DocumentNode | undefined => byHash.get(hash),
    keep(source: string, document: DocumentNode): void {
      const hash = hashOf(source);
      recent.set(source, { document, hash });
      if (recent.has(source)) byHash.set(hash, document);
    },
    pin(source: string, document: DocumentNode): void {
      pinned.set(source, document);
      byHash.set(hashOf(source), document);
    },
  };
}

const hashOf = (source: string): string => sha256(source, "hex");

function parseSource(source: string, maxTokens: number): DocumentNode | GraphQLError {
  try {
    refuseLongNames(source);
    return parse(source, { maxTokens });
  } catch (error) {
    if (error instanceof NameTooLong)
      return new GraphQLError(error.message, { originalError: error });
    return withCode(documentError(error), "GRAPHQL_PARSE_FAILED");
  }
}

/** A rule that throws rejects like one that reports. */
function validateAll(
  schema: GraphQLSchema,
  document: DocumentNode,
  rules: readonly ValidationRule[],
): readonly GraphQLError[] {
  try {
    return validate(schema, document, rules);
  } catch (error) {
    return [documentError(error)];
  }
}

const documentError = (error: unknown): GraphQLError =>
  error instanceof GraphQLError ? error : new GraphQLError("The document cannot be read.");

/** Adds a code, unless a rule has set one. */
function withCode(error: GraphQLError, code: string): GraphQLError {
  const { message, nodes, source, positions, extensions } = error;
  const at = { nodes: nodes ?? null, source: source ?? null, positions: positions ?? null };
  return new GraphQLError(message, { ...at, extensions: { code, ...extensions } });
}
