/** A request over HTTP with its document spelled out, in the shape Apollo takes. */
import type { FastifyRequest } from "fastify";
import { BadUserInput } from "../domain/errors.js";
import type { Principal } from "../domain/principal.js";
import type { PersistedDocuments } from "../services/persisted-documents.js";
import { isRecord, spellOut } from "./document-request.js";
import { readJson } from "./text-input.js";

/** What Apollo reads a request from: the body of a POST, the query string of a GET. */
export interface HttpDocument {
  readonly body: unknown;
  readonly search: string;
  /** To be called once the document has proved valid. */
  keep(): void;
}

/** How requests are read. */
export interface HttpDocumentRules {
  readonly documents: PersistedDocuments;
  readonly jsonDepth: number;
}

/** Reads a request. Throws what naming a document can throw. */
export async function httpDocument(rules: HttpDocumentRules, request: FastifyRequest, principal: Principal): Promise<HttpDocument> {
  const { method, body, url } = request;
  const search = searchOf(url);
  if (method === "GET") return { body, ...(await spellOutSearch(rules, search, principal)) };
  if (!isRecord(body)) return { body, search, keep: () => {} };
  const { parameters, keep } = await spellOut(rules.documents, body, principal);
  return { body: parameters, search, keep };
}

async function spellOutSearch({ documents, jsonDepth }: HttpDocumentRules, search: string, principal: Principal) {
  // Read by the parser that Apollo reads it with: another might see another document.
  const given = new URLSearchParams(search);
  const [query, operationName, documentId, extensions] = GET_PARAMETERS.map((name) => once(given, name));
  const read = { query, operationName, documentId, extensions: extensions === undefined ? undefined : readJson(extensions, jsonDepth) };
  const { parameters, keep } = await spellOut<typeof read>(documents, read, principal);
  if (parameters === read) return { search, keep };
  given.delete("documentId");
  given.set("query", String(parameters.query));
  if (extensions !== undefined) given.set("extensions", JSON.stringify(parameters.extensions));
  return { search: `?${given}`, keep };
}

const GET_PARAMETERS = ["query", "operationName", "documentId", "extensions"];

function once(given: URLSearchParams, name: string): string | undefined {
  const values = given.getAll(name);
  if (values.length > 1) throw new BadUserInput(`The parameter ${name} may be given only once.`);
  return values[0];
}

function searchOf(url: string): string {
  const at = url.indexOf("?");
  return at === -1 ? "" : url.slice(at);
}
