/**
 * The condition of servers: whether each primary answers and
 * would take a write.
 *
 * A look sends one EVAL to each primary. Its script may write
 * and does not. The state of a Cluster and one INFO of errors
 * follow. A look is shared for a second and bounded by a
 * deadline. It is repeated in the background: changes are
 * logged without a probe.
 */
import { Cluster, type Redis, ReplyError } from "ioredis";
import type { ReportState } from "../../domain/telemetry/degradations.js";
import { SECOND } from "../../domain/time/time.js";
import { linksOf, type RedisConnection } from "./connect.js";
import { type CallTelemetry, createDirectCaller } from "./direct-call.js";
import { loadScripts } from "./scripts.js";

export interface ConditionWatch {
  /**
   * Looks, unless the last look is younger than a second.
   * Resolves once the state is reported; never rejects.
   */
  look(): Promise<void>;
  /**
   * Nothing is reported from now on, by a look under way
   * either.
   */
  close(): void;
}

/**
 * What refuses a write, by the class of the error, in words
 * for an operator.
 */
const CONDITION_REFUSALS: ReadonlyMap<string, string> = new Map([
  ["OOM", "full: used memory is over maxmemory, and writes are refused"],
  ["READONLY", "a read-only replica: writes are refused"],
  ["MISCONF", "it cannot save to disk, and writes are refused"],
  ["NOREPLICAS", "too few replicas are connected, and writes are refused"],
  ["MASTERDOWN", "a replica that has lost its primary"],
  ["LOADING", "it is loading its data"],
  ["CLUSTERDOWN", "the Cluster does not serve all slots"],
]);
const SHARED_MS = SECOND;
const BACKGROUND_MS = 5 * SECOND;
const CONDITION_DEADLINE_MS = SECOND;

const ACCEPT = loadScripts().find(({ command }) => command === "serverAccept")?.lua ?? "";

export interface ConditionDeps {
  readonly connection: RedisConnection;
  readonly telemetry: CallTelemetry;
  readonly report: ReportState;
}

/**
 * Starts to watch. Reports a reason while any primary does
 * not answer or refuses writes. Writes refused since the last
 * look are a reason, too.
 */
export function watchCondition({ connection, telemetry, report }: ConditionDeps): ConditionWatch {
  const direct = createDirectCaller(telemetry, "condition");
  const refusals = countRefusals();
  let shared: { readonly atMs: number; readonly look: Promise<void> } | null = null;
  let isClosed = false;
  const judge = async (): Promise<void> => {
    const reason = await direct
      .sendWithin(CONDITION_DEADLINE_MS, "look", () => conditionOf(connection, refusals))
      .catch(explain);
    // A look that fails at the end of the connection says
    // nothing about the server.
    if (!isClosed) report(reason);
  };
  const look = (): Promise<void> => {
    if (shared === null || performance.now() - shared.atMs >= SHARED_MS)
      shared = { atMs: performance.now(), look: judge() };
    return shared.look;
  };
  const timer = setInterval(look, BACKGROUND_MS).unref();
  const close = (): void => {
    isClosed = true;
    clearInterval(timer);
  };
  return { look, close };
}

type Refusals = ReturnType<typeof countRefusals>;

async function conditionOf(
  connection: RedisConnection,
  refusals: Refusals,
): Promise<string | null> {
  const servers = linksOf(connection, "master");
  if (connection.status !== "ready" || servers.length === 0) return "does not answer";
  await Promise.all(servers.map((server) => server.eval(ACCEPT, 0)));
  if (
    connection instanceof Cluster &&
    !/cluster_state:ok/.test(String(await servers[0]?.cluster("INFO")))
  ) {
    return explainKind("CLUSTERDOWN");
  }
  const lately = (await Promise.all(servers.map(refusals.since))).flat();
  return lately.length > 0 ? `refused writes lately (${[...new Set(lately)].join(", ")})` : null;
}

/** @param error what {@link DirectCaller.sendWithin} rejects with */
function explain({ cause }: Error): string {
  return cause instanceof ReplyError
    ? explainKind((cause as Error).message.split(" ", 1)[0] ?? "")
    : "does not answer";
}

const explainKind = (kind: string): string =>
  CONDITION_REFUSALS.get(kind) ?? `it refuses commands (${kind})`;

/** Counts refused writes of each server since the last look. */
function countRefusals() {
  const counted = new WeakMap<Redis, ReadonlyMap<string, number>>();
  return {
    /**
     * The classes of refusals since the last look at this
     * server; none at the first.
     */
    async since(server: Redis): Promise<string[]> {
      const before = counted.get(server);
      const now = refusalsIn(await server.info("errorstats"));
      counted.set(server, now);
      return before
        ? [...now].flatMap(([kind, count]) => (count > (before.get(kind) ?? 0) ? [kind] : []))
        : [];
    },
  };
}

const WRITE_REFUSALS: ReadonlySet<string> = new Set(["OOM", "READONLY", "MISCONF", "NOREPLICAS"]);

const refusalsIn = (info: string): Map<string, number> =>
  new Map(
    [...info.matchAll(/^errorstat_(\w+):count=(\d+)/gm)].flatMap(([, kind = "", count]) =>
      WRITE_REFUSALS.has(kind) ? [[kind, Number(count)] as const] : [],
    ),
  );
