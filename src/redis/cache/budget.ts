/**
 * The cache's share of a server's memory. One Redis may hold state and cache, and one that never
 * evicts refuses every write when it is full: sessions and carts would be lost to a cache that
 * could be loaded again. So the cache gives up first: while more than {@link CACHE_SHARE} of
 * `maxmemory` is used, values are loaded and served but not filled. A server that evicts looks
 * after itself. Redis down: nothing is known, and nothing can be filled anyway.
 */
import type { ReportState } from "../../domain/telemetry/degradations.js";
import { SECOND } from "../../domain/time/time.js";
import { linksOf } from "../client/connect.js";
import type { CacheLink } from "./link.js";

/** Above this share of `maxmemory` the rest is for state. */
export const CACHE_SHARE = 0.8;
/** INFO costs Redis little, and memory fills in minutes rather than seconds. */
const CHECK_MS = 5 * SECOND;

/** Watches a server's memory. */
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
    link.onTrusted(check);
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
    const { connection } = this.link;
    const servers = linksOf(connection, "master");
    const infos = await Promise.all(servers.map((server) => server.info("memory")));
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
