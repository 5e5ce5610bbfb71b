/**
 * Parsed and validated documents, remembered so that an operation that is asked again is neither parsed nor validated again: one store
 * per server, for both transports, keyed by the hash of the source as Apollo keys its own.
 *
 * Reading a document that is not known is work that its answer does not show, so it has a price (document-price.ts). It is paid once, with
 * the first operation of the document. Documents of the manifest are read at the start, kept for good, and free.
 * Bounded by source text: a syntax tree takes up to some 130 bytes per character, so the bound is some 64 MB at the very worst.
 */
import { createHash } from "node:crypto";
import { type DocumentNode, GraphQLError, type GraphQLSchema, parse, specifiedRules, type ValidationRule, validate } from "graphql";
import { LRUCache } from "lru-cache";
import { countTokens, readingPrice } from "./document-price.js";

const MAX_SOURCE_CHARACTERS = 512 * 1024;
const MAX_DOCUMENTS = 2_000;

/** A bounded store of documents, in the shape Apollo wants. */
export interface DocumentStore {
  get(key: string): Promise<DocumentNode | undefined>;
  set(key: string, document: DocumentNode): Promise<void>;
  delete(key: string): Promise<boolean>;
}

/** How documents are read: what HTTP gives Apollo, spelled for {@link createDocumentReader}. */
export interface ReadingRules {
  readonly schema: GraphQLSchema;
  readonly rules: readonly ValidationRule[];
  readonly maxTokens: number;
}

/** Reads a source: its document, or why it is refused. */
export interface DocumentReader {
  (source: string): DocumentNode | readonly GraphQLError[];
  /** Reads a document that is kept for the life of the process, and that nobody pays for. */
  keep(source: string): DocumentNode | readonly GraphQLError[];
  /** The document of a source that was read before; undefined for any other. */
  known(source: string): DocumentNode | undefined;
  /** What reading a source costs: nothing where that is done and paid. */
  priceOf(source: string): number;
  /** What reading a document has cost and nobody has paid yet. Whoever asks pays. */
  takePrice(document: DocumentNode): number;
  /** The same for a source, whether its document was found valid or not. */
  takePriceOf(source: string): number;
  /** The same documents as Apollo stores them; it reads by the same rules. */
  readonly store: DocumentStore;
}

/** A reader that parses and validates each distinct source once, with the codes Apollo gives over HTTP. */
export function createDocumentReader({ schema, rules, maxTokens }: ReadingRules): DocumentReader {
  const kept = new Map<string, DocumentNode>();
  const documents = newCache();
  const unpaid = new WeakSet<DocumentNode>();
  const allRules = [...specifiedRules, ...rules];
  const find = (hash: string): DocumentNode | undefined => kept.get(hash) ?? documents.get(hash);
  const remember = (hash: string, document: DocumentNode): void => {
    documents.set(hash, document);
    unpaid.add(document);
  };
  const check = (source: string): DocumentNode | readonly GraphQLError[] => {
    const document = parseSource(source, maxTokens);
    if (document instanceof GraphQLError) return [document];
    const errors = validate(schema, document, allRules);
    return errors.length > 0 ? errors.map((error) => withCode(error, "GRAPHQL_VALIDATION_FAILED")) : document;
  };
  const read = (source: string): DocumentNode | readonly GraphQLError[] => {
    const hash = hashOf(source);
    const known = find(hash);
    if (known) return known;
    const document = check(source);
    if ("kind" in document) remember(hash, document);
    return document;
  };
  const takePrice = (document: DocumentNode): number => (unpaid.delete(document) ? readingPrice(document.tokenCount ?? maxTokens) : 0);
  return Object.assign(read, {
    keep(source: string) {
      const document = check(source);
      if ("kind" in document) kept.set(hashOf(source), document);
      return document;
    },
    known: (source: string) => find(hashOf(source)),
    priceOf(source: string) {
      const known = find(hashOf(source));
      return known && !unpaid.has(known) ? 0 : readingPrice(countTokens(source, maxTokens));
    },
    takePrice,
    takePriceOf(source: string) {
      const known = find(hashOf(source));
      return known ? takePrice(known) : readingPrice(countTokens(source, maxTokens));
    },
    store: {
      get: async (key: string) => find(hashIn(key)),
      set: async (key: string, document: DocumentNode) => remember(hashIn(key), document),
      delete: async (key: string) => documents.delete(hashIn(key)),
    },
  });
}

const newCache = () =>
  new LRUCache<string, DocumentNode>({
    max: MAX_DOCUMENTS,
    maxSize: MAX_SOURCE_CHARACTERS,
    sizeCalculation: ({ loc }) => Math.max(1, loc?.source.body.length ?? 1),
  });

const hashOf = (source: string): string => createHash("sha256").update(source).digest("hex");

/** Apollo puts the hash of the schema before that of the source. */
const hashIn = (key: string): string => key.slice(key.lastIndexOf(":") + 1);

function parseSource(source: string, maxTokens: number): DocumentNode | GraphQLError {
  try {
    return parse(source, { maxTokens });
  } catch (error) {
    if (error instanceof GraphQLError) return withCode(error, "GRAPHQL_PARSE_FAILED");
    throw error;
  }
}

/** An error of graphql-js with a code, unless a rule has given it one. */
function withCode(error: GraphQLError, code: string): GraphQLError {
  const { message, nodes, source, positions, extensions } = error;
  const at = { nodes: nodes ?? null, source: source ?? null, positions: positions ?? null };
  return new GraphQLError(message, { ...at, extensions: { code, ...extensions } });
}
