/**
 * A request over HTTP with its document resolved, as Apollo takes
 * it.
 */
import type { Principal } from "../../domain/account/principal.js";
import { BadUserInput } from "../../domain/errors.js";
import type { PersistedDocuments } from "../../services/persisted-documents.js";
import { isRecord, resolveDocument, withoutEmpty } from "../operation/document-request.js";
import type { RawOperation } from "../operation/raw-operation.js";
import { readBody, readJson, refuseIllFormed } from "../operation/text-input.js";
import type { HttpExchange } from "./exchange.js";

/** The body of a POST, the query string of a GET. */
export interface HttpDocument {
  readonly body: unknown;
  readonly search: string;
  /** The operation, from either of them. */
  readonly raw: RawOperation;
  /** Whether its client asks to keep it under its hash. */
  readonly isRegistered: boolean;
  /** Call once the document has proved valid. */
  keep(): void;
}

export interface HttpDocumentRules {
  readonly documents: PersistedDocuments;
  readonly jsonDepth: number;
}

/**
 * Throws what {@link resolveDocument} throws, and BadUserInput
 * for a body that is no JSON.
 */
export async function httpDocument(
  rules: HttpDocumentRules,
  exchange: HttpExchange,
  principal: Principal,
): Promise<HttpDocument> {
  const { method, url } = exchange;
  const search = searchOf(url);
  if (method === "GET")
    return { body: undefined, ...(await resolveSearch(rules, search, principal)) };
  const body = exchange.body ? readBody(exchange.body, rules.jsonDepth) : undefined;
  if (!isRecord(body)) return { body, search, raw: {}, isRegistered: false, keep: () => {} };
  const { parameters, ...resolved } = await resolveDocument(
    rules.documents,
    withoutEmpty(body),
    principal,
  );
  return { body: parameters, search, raw: parameters, ...resolved };
}

async function resolveSearch(
  { documents, jsonDepth }: HttpDocumentRules,
  search: string,
  principal: Principal,
) {
  // Apollo's own parser: another might see another document.
  const given = new URLSearchParams(search);
  // A GET follows the rules of a body.
  refuseIllFormed([...given].flat());
  const isShorter = dropEmpty(given);
  const [query, documentId, operationName, variables, extensions] = NAMES.map((name) =>
    singleValue(given, name),
  );
  const json = (text: string | undefined) =>
    text === undefined ? undefined : readJson(text, jsonDepth);
  const read = {
    query,
    documentId,
    operationName,
    variables: json(variables),
    extensions: json(extensions),
  };
  const { parameters, ...resolved } = await resolveDocument<typeof read>(
    documents,
    read,
    principal,
  );
  if (parameters === read)
    return { search: isShorter ? `?${given}` : search, raw: read, ...resolved };
  given.delete("documentId");
  given.set("query", String(parameters.query));
  if (extensions !== undefined) given.set("extensions", JSON.stringify(parameters.extensions));
  return { search: `?${given}`, raw: parameters, ...resolved };
}

const NAMES = ["query", "documentId", "operationName", "variables", "extensions"];
/** These are JSON; an operation may be named `null`. */
const NULLABLE = new Set(["variables", "extensions"]);

/** Drops empty parameters; returns whether there were any. */
function dropEmpty(given: URLSearchParams): boolean {
  const isEmpty = (name: string) =>
    given.has(name) &&
    given
      .getAll(name)
      .every((value) => value.trim() === "" || (NULLABLE.has(name) && value.trim() === "null"));
  const empty = NAMES.filter(isEmpty);
  for (const name of empty) given.delete(name);
  return empty.length > 0;
}

function singleValue(given: URLSearchParams, name: string): string | undefined {
  const values = given.getAll(name);
  if (values.length > 1) throw new BadUserInput(`The parameter ${name} may be given only once.`);
  return values[0];
}

function searchOf(url: string): string {
  const at = url.indexOf("?");
  return at === -1 ? "" : url.slice(at);
}
