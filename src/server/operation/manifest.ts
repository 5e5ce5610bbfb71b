/**
 * The manifest of persisted documents, from `npm run persist` or
 * another generator: an object of ids and documents, or Apollo's
 * `apollo-persisted-query-manifest`. An invalid document stops
 * the start.
 */
import { readFileSync } from "node:fs";
import { type DefinitionNode, Kind } from "graphql";
import { z } from "zod";
import { StartupError } from "../../domain/errors.js";
import { sha256 } from "../../domain/hash.js";
import type { DocumentManifest } from "../../services/persisted-documents.js";
import { type DocumentReader, isRefused } from "./documents.js";

const plain = z.record(z.string(), z.string());
const apollo = z.object({
  format: z.literal("apollo-persisted-query-manifest"),
  operations: z.array(z.object({ id: z.string(), body: z.string() })),
});
const manifestFile = z.union([
  apollo.transform(({ operations }) => operations.map(({ id, body }) => [id, body] as const)),
  plain.transform((documents) => Object.entries(documents)),
]);

/** Empty where the mode needs none. @throws StartupError */
export function readManifest({
  mode,
  file,
}: {
  readonly mode: string;
  readonly file: string | undefined;
}): DocumentManifest {
  if (mode === "off" || (mode === "allow" && file === undefined)) return new Map();
  if (file === undefined)
    throw new StartupError(
      "PERSISTED_DOCUMENTS=only needs PERSISTED_DOCUMENTS_FILE: the manifest that `npm run " +
        "persist` writes.",
    );
  const documents = manifestFile.safeParse(readJsonFile(file));
  if (!documents.success)
    throw new StartupError(
      `PERSISTED_DOCUMENTS_FILE=${file} is no manifest: it must be an object of ids and ` +
        "documents, or Apollo's format.",
    );
  for (const [id, source] of documents.data) checkHash(file, id, source);
  return new Map(documents.data);
}

/**
 * Pins all documents of a manifest. Returns the names of its
 * operations.
 * @throws StartupError naming an invalid document
 */
export function checkManifest(
  manifest: DocumentManifest,
  readDocument: Pick<DocumentReader, "pin">,
): readonly string[] {
  return [...manifest].flatMap(([id, source]) => {
    const document = readDocument.pin(source);
    if (!isRefused(document)) return document.definitions.flatMap(operationName);
    throw new StartupError(
      `The persisted document ${manifestName(id, source)} is not valid: ${document[0]?.message}`,
    );
  });
}

const operationName = (definition: DefinitionNode): readonly string[] =>
  definition.kind === Kind.OPERATION_DEFINITION && definition.name ? [definition.name.value] : [];

function readJsonFile(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch (cause) {
    throw new StartupError(
      `PERSISTED_DOCUMENTS_FILE=${file} cannot be read: ${(cause as Error).message}`,
      { cause },
    );
  }
}

/**
 * A wrong hash would store the document under another name than
 * its client's.
 */
function checkHash(file: string, id: string, source: string): void {
  if (!id.startsWith("sha256:")) return;
  const hash = sha256(source, "hex");
  if (id !== `sha256:${hash}`)
    throw new StartupError(
      `PERSISTED_DOCUMENTS_FILE=${file} names ${manifestName(id, source)} by a hash that is ` +
        "not its own.",
    );
}

/** An id and, for people, the first name in the document. */
function manifestName(id: string, source: string): string {
  const name = /\b(?:query|mutation|subscription)\s+(\w+)/.exec(source)?.[1];
  return name ? `${name} (${id})` : id;
}
