import type { KeySubject } from "./spec.js";

export const DOCUMENT_KEYS = {
  folder: "documents",
  title: "Documents that clients name by their hash",
  owner: "redis/documents/documents.ts",
  commands: [],
  families: {
    documents: {
      key: "documents:{all}",
      type: "hash",
      ttl: "PERSISTED_DOCUMENTS_TTL_MS since the last use",
      bound: "PERSISTED_DOCUMENTS_BYTES",
      evictable: true,
      value:
        "SHA-256 (hex) → document; `bytes` → what all of them weigh, 256 bytes for each besides " +
        "its text.",
      deleted: "Clients send their documents again.",
    },
    documentsUsed: {
      key: "documents-used:{all}",
      type: "zset",
      ttl: "PERSISTED_DOCUMENTS_TTL_MS since the last use",
      bound: "one member per document",
      evictable: true,
      value: "SHA-256 → when it was used last (ms).",
    },
  },
} as const satisfies KeySubject;
