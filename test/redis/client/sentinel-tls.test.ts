/**
 * `rediss+sentinel://`: TLS to the Sentinels and to the server they name, with certificates that
 * are checked.
 */
import { expect, it, onTestFinished } from "vitest";
import { connectRedis, whenReady } from "../../../src/redis/client/connect.js";
import { testLog } from "../../support/log.js";
import { startRedisSentinel } from "../../support/redis-sentinel.js";
import { otherCaFile, tlsFiles } from "../../support/tls.js";

it("A set that serves TLS alone is reached, and not under a CA that did not sign it.", async () => {
  const { url, stop } = await startRedisSentinel({ tls: true });
  onTestFinished(stop);
  const connection = connectRedis({
    url,
    caFile: tlsFiles.caFile,
    role: "requests",
    log: testLog(),
  });
  onTestFinished(() => connection.disconnect());
  await whenReady(connection, 30_000);
  expect(await connection.set("a", "1")).toBe("OK");
  const deceived = connectRedis({ url, caFile: otherCaFile, role: "requests", log: testLog() });
  onTestFinished(() => deceived.disconnect());
  await expect(whenReady(deceived, 1_000)).rejects.toThrow();
});
