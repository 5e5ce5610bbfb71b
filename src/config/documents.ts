/** Documents that run by an id or a hash. */
import { z } from "zod";
import { DAY, SECOND } from "../domain/time/time.js";
import { count, type Parsed } from "./values.js";

export const documentVariables = {
  PERSISTED_DOCUMENTS: z
    .enum(["off", "allow", "only"])
    .default("allow")
    .describe(
      "documents by id or hash: off, allowed, or only those of the manifest and nothing else " +
        "(the explorer is off then)",
    ),
  PERSISTED_DOCUMENTS_FILE: z
    .string()
    .optional()
    .describe("manifest of documents that npm run persist writes; needed for only"),
  PERSISTED_DOCUMENTS_TTL_MS: count(DAY, SECOND).describe(
    "how long a document that a client has sent by its hash is kept unused",
  ),
  PERSISTED_DOCUMENTS_BYTES: count(8 * 1024 * 1024, 64 * 1024).describe(
    "size of all documents that clients have sent by their hash",
  ),
};

export const toDocuments = (env: Parsed<typeof documentVariables>) => ({
  mode: env.PERSISTED_DOCUMENTS,
  file: env.PERSISTED_DOCUMENTS_FILE,
  ttlMs: env.PERSISTED_DOCUMENTS_TTL_MS,
  maxBytes: env.PERSISTED_DOCUMENTS_BYTES,
});
