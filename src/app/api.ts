/** Serves subjects to clients over HTTP and WebSocket. */
import { randomBytes } from "node:crypto";
import type { ContainerType } from "type-graphql";
import { ensureSecret } from "../db/secrets.js";
import { CATALOGUE_TOPIC } from "../domain/events/events.js";
import { ReadContext } from "../domain/reading/read-context.js";
import type { Loaders } from "../loaders/loaders.js";
import { createDirectCaller } from "../redis/client/direct-call.js";
import { readRedisInfo } from "../redis/client/info.js";
import { createRequestContext } from "../resolvers/context.js";
import { createEvents } from "../resolvers/events.js";
import { buildSoukSchema, type ResolverClass } from "../schema/build-schema.js";
import { checkListSizes } from "../server/cost/field-price.js";
import type { DemoSecrets } from "../server/explorer/demo-secrets.js";
import type { CreateContext } from "../server/operation/operation.js";
import { createServer, type ServerDeps } from "../server/server.js";
import { createGuests } from "../services/account/guests.js";
import { createConsistencyTokens } from "../services/consistency-tokens.js";
import { createLive, type Live } from "../services/live/live.js";
import { account } from "./account.js";
import type { Infrastructure } from "./infrastructure.js";
import { type Opening, type OpenSubject, type Served, serveAll } from "./module.js";
import { rateLimit } from "./rate-limit.js";
import { createApiReadiness } from "./readiness.js";
import { resolverClassesOf } from "./subjects.js";

/** 256 bits, as many as the signatures made with it have. */
const SECRET_BYTES = 32;

/** Starts listening. Resolves to the URL. */
export async function startApi(
  opening: Opening,
  subjects: readonly OpenSubject[],
  demo: DemoSecrets | undefined,
): Promise<string> {
  const { infrastructure, config, log, disposer } = opening;
  const { metrics, requests } = infrastructure;
  const live = await openLive(opening);
  const { served, use } = await serveAll(subjects);
  const schema = buildSoukSchema({
    resolvers: resolverClassesOf(subjects.map(({ subject }) => subject)),
    container: containerOf(served),
    pubSub: createEvents({
      live,
      streams: Object.assign({}, ...served.map(({ streams }) => streams)),
      admission: Object.assign({}, ...served.map(({ admission }) => admission)),
    }),
  });
  checkListSizes(schema);
  const { sessions, ends } = use(account);
  const server = await createServer({
    config,
    schema,
    ...use(rateLimit),
    ...(await openSigned(infrastructure)),
    sessions: { confirm: sessions.confirm, onEnded: ends.onEnded },
    createOperation: operationsWith(served),
    beginReads: Object.assign({}, ...served.map(({ beginReads }) => beginReads)),
    demo,
    traceAnswer: infrastructure.cache.traceAnswer,
    readiness: createApiReadiness(
      infrastructure,
      subjects.flatMap(({ module }) => module.checks ?? []),
    ),
    metrics,
    log,
  });
  const direct = createDirectCaller(metrics, "info");
  metrics.readRedisFrom(() => direct.send("read", () => readRedisInfo(requests)));
  disposer.add(() => server.close());
  return (await server.listen()).url;
}

/**
 * Watches values. An event of the whole catalogue makes all of
 * them due.
 */
async function openLive({ infrastructure, config, log, disposer }: Opening): Promise<Live> {
  const { pubsub } = infrastructure;
  const live = createLive({ pubsub, conflationMs: config.live.conflationMs, log });
  disposer.add(() => live.close());
  disposer.add(await pubsub.subscribe(CATALOGUE_TOPIC, () => live.refresh()));
  return live;
}

/** Gives type-graphql the instance of each resolver class. */
function containerOf(served: readonly Served[]): ContainerType {
  const byClass = new Map<ResolverClass, object>(
    served.flatMap(({ resolvers }) => resolvers.map((one) => [one.constructor, one])),
  );
  return { get: (resolverClass: ResolverClass) => byClass.get(resolverClass) };
}

/**
 * Makes the context of an operation, with the loaders of all
 * subjects.
 */
function operationsWith(served: readonly Served[]): CreateContext {
  const makers = served.flatMap(({ loaders }) => loaders ?? []);
  // Each subject makes those that it declares.
  const makeLoaders = (reading: ReadContext): Loaders =>
    Object.assign({}, ...makers.map((make) => make(reading)));
  return ({ seen, bypass, trace, ahead, principal, client, guest, buckets, requestId }) =>
    createRequestContext({
      requestId,
      buckets,
      principal,
      client,
      guest,
      ahead,
      reading: new ReadContext({ seen, bypass, trace }),
      makeLoaders,
    });
}

/** Readers of tokens that this shop has signed. */
async function openSigned({
  database,
  cache,
}: Infrastructure): Promise<Pick<ServerDeps, "admitGuest" | "seenTokens">> {
  const secretOf = (name: string) =>
    ensureSecret(database, name, randomBytes(SECRET_BYTES).toString("base64url"));
  const { admit: admitGuest } = createGuests(await secretOf("guests"));
  return {
    admitGuest,
    seenTokens: createConsistencyTokens(await secretOf("consistency tokens"), cache.nowMs),
  };
}
