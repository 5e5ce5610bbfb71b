/** The breaker of a structure under test. */
import type { ReportState } from "../../src/domain/telemetry/degradations.js";
import { type Breaker, type BreakerDeps, createBreaker } from "../../src/redis/client/breaker.js";

/** A breaker that reports to the test, or to nothing. It keeps no process alive. */
export const testBreaker = (
  connection: BreakerDeps["connection"],
  report: ReportState = () => {},
): Breaker =>
  createBreaker({ connection, report }, { instead: "the test goes on without", deadlineMs: 1_000 });
