/** Callers of structures under test. */
import { createDegradations, type ReportState } from "../../src/domain/telemetry/degradations.js";
import { silentTelemetry, type Telemetry } from "../../src/domain/telemetry/telemetry.js";
import { createCallers, type RedisCaller } from "../../src/redis/client/call.js";
import type { RedisConnection } from "../../src/redis/client/connect.js";

interface TestCallerOptions {
  readonly structure?: string;
  readonly deadlineMs?: number | undefined;
  readonly telemetry?: Pick<Telemetry, "redisRoundTrip">;
  readonly report?: ReportState;
}

/** A caller that reports to the test, or to nothing. It keeps no process alive. */
export function testCaller(
  connection: RedisConnection,
  {
    structure = "test",
    deadlineMs = 10_000,
    telemetry = silentTelemetry,
    report = () => {},
  }: TestCallerOptions = {},
): RedisCaller {
  const degradations = createDegradations(({ reason }) => report(reason));
  const callers = createCallers({ connection, telemetry, degradations });
  const instead = "the test goes on without";
  return callers.of(structure, { deadlineMs, degraded: { part: structure, instead } });
}
