/** The certificates of the TLS tests; what they are stands in test/support/tls/README.md. */
import { fileURLToPath } from "node:url";

const file = (name: string): string => fileURLToPath(new URL(`./tls/${name}`, import.meta.url));

/**
 * A server certificate for localhost and 127.0.0.1, its key, and the CA that signed it: PEM files,
 * as `startRedisServer({ tls })` takes them.
 */
export const tlsFiles = {
  certFile: file("server.crt"),
  keyFile: file("server.key"),
  caFile: file("ca.crt"),
};

/** A CA that did not sign it. */
export const otherCaFile = file("other-ca.crt");
