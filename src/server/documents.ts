/**
 * Parsed and validated documents, remembered so that an operation that is asked again is neither parsed nor validated again.
 * Two instances per server: Apollo's document store (keyed by hash) and the WebSocket side (keyed by source).
 *
 * Bounded by source text: a syntax tree takes up to some 130 bytes per character, so the bound is some 64 MB at the very worst.
 */
import { type DocumentNode, GraphQLError, type GraphQLSchema, parse, specifiedRules, type ValidationRule, validate } from "graphql";
import { LRUCache } from "lru-cache";
import { NameTooLong } from "../domain/errors.js";
import { refuseLongNames } from "./names.js";

const MAX_SOURCE_CHARACTERS = 512 * 1024;
const MAX_DOCUMENTS = 2_000;

/** A bounded store of documents, in the shape Apollo wants. */
export interface DocumentStore {
  get(key: string): Promise<DocumentNode | undefined>;
  set(key: string, document: DocumentNode): Promise<void>;
  delete(key: string): Promise<boolean>;
}

const newCache = () =>
  new LRUCache<string, DocumentNode>({
    max: MAX_DOCUMENTS,
    maxSize: MAX_SOURCE_CHARACTERS,
    sizeCalculation: ({ loc }) => Math.max(1, loc?.source.body.length ?? 1),
  });

/** A {@link DocumentStore} for one Apollo Server. @param remember told of each document that is kept */
export function createDocumentStore(remember: (document: DocumentNode) => void): DocumentStore {
  const documents = newCache();
  return {
    get: async (key) => documents.get(key),
    async set(key, document) {
      documents.set(key, document);
      remember(document);
    },
    delete: async (key) => documents.delete(key),
  };
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
  /** The document of a source that was read before; undefined for any other. */
  known(source: string): DocumentNode | undefined;
  /** Remembers a document that was read elsewhere, by the same rules. */
  remember(document: DocumentNode): void;
}

/** A reader that parses and validates each distinct source once, with the codes Apollo gives over HTTP. */
export function createDocumentReader({ schema, rules, maxTokens }: ReadingRules): DocumentReader {
  const documents = newCache();
  const allRules = [...specifiedRules, ...rules];
  const read = (source: string): DocumentNode | readonly GraphQLError[] => {
    const known = documents.get(source);
    if (known) return known;
    const document = parseSource(source, maxTokens);
    if (document instanceof GraphQLError) return [document];
    const errors = validate(schema, document, allRules);
    if (errors.length > 0) return errors.map((error) => withCode(error, "GRAPHQL_VALIDATION_FAILED"));
    documents.set(source, document);
    return document;
  };
  return Object.assign(read, {
    known: (source: string) => documents.get(source),
    remember: (document: DocumentNode) => void (document.loc && documents.set(document.loc.source.body, document)),
  });
}

function parseSource(source: string, maxTokens: number): DocumentNode | GraphQLError {
  try {
    refuseLongNames(source);
    return parse(source, { maxTokens });
  } catch (error) {
    if (error instanceof NameTooLong) return new GraphQLError(error.message, { originalError: error });
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
