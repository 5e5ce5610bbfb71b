/**
 * Helmet's headers, computed once. They equal for every answer,
 * and computing them costs more than a small request. Pages with
 * another policy override them.
 */
import helmet from "@fastify/helmet";
import Fastify from "fastify";

/** @param https whether browsers must return by HTTPS */
export async function securityHeaders(https: boolean): Promise<Record<string, string>> {
  const app = Fastify();
  await app.register(helmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"], baseUri: ["'none'"] },
    },
    strictTransportSecurity: https,
  });
  app.get("/", async () => "");
  const { headers } = await app.inject("/");
  await app.close();
  const ours = Object.entries(headers).filter(([name]) => !PER_ANSWER_HEADERS.has(name));
  return Object.fromEntries(ours.map(([name, value]) => [name, String(value)]));
}

const PER_ANSWER_HEADERS = new Set([
  "content-type",
  "content-length",
  "date",
  "connection",
  "keep-alive",
]);
