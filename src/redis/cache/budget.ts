/**
 * The cache's share of a server's memory.
 *
 * One Redis may hold state and cache. A full one that never
 * evicts refuses every write. Sessions and carts would be
 * lost to values that can be loaded again. So the cache gives
 * up first: above {@link CACHE_SHARE} of `maxmemory` values
 * are served but not filled. A server that evicts needs no
 * such care. Redis down: nothing can be filled anyway.
 */
import type { ReportState } from "../../domain/telemetry/degradations.js";
import { SECOND } from "../../domain/time/time.js";
import { linksOf } from "../client/connect.js";
import type { CacheLink } from "./link.js";

/** Above this share of `maxmemory` the rest is for state. */
export const CACHE_SHARE = 0.8;
/** Memory fills in minutes rather than seconds. */
const CHECK_MS = 5 * SECOND;

export class MemoryBudget {
  private readonly timer: NodeJS.Timeout;
  private isSpent = false;

  constructor(
    private readonly link: CacheLink,
    private readonly report: ReportState,
    checkMs: number = CHECK_MS,
  ) {
    const check = () => void this.check().catch(() => {});
    this.timer = setInterval(check, checkMs);
    this.timer.unref();
    link.onVerified(check);
  }

  /** True while fills must be left out. */
  spent(): boolean {
    return this.isSpent;
  }

  close(): void {
    clearInterval(this.timer);
  }

  private async check(): Promise<void> {
    if (!this.link.usable()) return;
    const { connection, direct } = this.link;
    const servers = linksOf(connection, "master");
    const infos = await direct.send("memory", () =>
      Promise.all(servers.map((server) => server.info("memory"))),
    );
    this.isSpent = infos.some(isNearlyFull);
    this.report(this.isSpent ? "most of maxmemory is used; values are not kept" : null);
  }
}

function isNearlyFull(info: string): boolean {
  const read = (field: string): string => new RegExp(`^${field}:(\\S+)`, "m").exec(info)?.[1] ?? "";
  const limit = Number(read("maxmemory"));
  return (
    limit > 0 &&
    read("maxmemory_policy") === "noeviction" &&
    Number(read("used_memory")) > CACHE_SHARE * limit
  );
}
