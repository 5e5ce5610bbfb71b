/** Files of the pages: ours, and a library for browsers. */
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { FastifyInstance, FastifyReply } from "fastify";

/** The file of a page. */
export const assetPath = (name: string): string =>
  fileURLToPath(new URL(`assets/${name}`, import.meta.url));

/** Its CommonJS file stands beside the one for browsers. */
const CLIENT_LIBRARY = dirname(createRequire(import.meta.url).resolve("graphql-ws/client"));
const LIBRARY_FILE = /^(?:client|common-[\w-]+)\.js$/;
const SCRIPT = "text/javascript; charset=utf-8";
const ASSET_TYPES = new Map([
  ["start.js", SCRIPT],
  ["graphiql.js", SCRIPT],
  ["start.css", "text/css; charset=utf-8"],
]);

export function addAssets(app: FastifyInstance): void {
  app.get<FileRoute>("/explorer/:file", async ({ params: { file } }, reply) => {
    const type = ASSET_TYPES.get(file);
    return sendFile(reply, type && assetPath(file), type);
  });
  app.get<FileRoute>("/explorer/graphql-ws/:file", async ({ params: { file } }, reply) =>
    sendFile(reply, LIBRARY_FILE.test(file) ? join(CLIENT_LIBRARY, file) : undefined),
  );
}

interface FileRoute {
  readonly Params: { readonly file: string };
}

/** Without a path, or where nothing is: 404. */
async function sendFile(
  reply: FastifyReply,
  path: string | undefined,
  type = SCRIPT,
): Promise<FastifyReply> {
  const bytes = path === undefined ? null : await readFile(path).catch(() => null);
  if (bytes) return reply.header("cache-control", "no-cache").type(type).send(bytes);
  reply.callNotFound();
  return reply;
}
