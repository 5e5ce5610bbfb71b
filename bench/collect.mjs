/**
 * Loaded into the servers measured: on SIGWINCH (which ends nobody) garbage is collected and what
 * is left is written to `MEMORY_FILE`.
 */
import { renameSync, writeFileSync } from "node:fs";

process.on("SIGWINCH", () => {
  for (let times = 0; times < 3; times += 1) globalThis.gc();
  const file = process.env.MEMORY_FILE;
  writeFileSync(`${file}.part`, JSON.stringify(process.memoryUsage()));
  renameSync(`${file}.part`, file);
});
