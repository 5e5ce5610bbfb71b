/**
 * Helmet's headers, worked out once. They are the same for every answer, and helmet works them out
 * anew each time, which costs more than the rest of a small request. Pages that need another policy
 * set their own over these.
 */
import helmet from "@fastify/helmet";
import Fastify from "fastify";

/** @param https whether browsers are told to come back by HTTPS only */
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
  const ours = Object.entries(headers).filter(([name]) => !OF_THE_ANSWER.has(name));
  return Object.fromEntries(ours.map(([name, value]) => [name, String(value)]));
}

const OF_THE_ANSWER = new Set([
  "content-type",
  "content-length",
  "date",
  "connection",
  "keep-alive",
]);
