/**
 * Degraded parts, and why. Parts report here when they do
 * without something; logs, metrics and /readyz read it, so
 * that no fallback is silent.
 */

/**
 * Reports the state of one part: a reason, or null once it
 * works again.
 */
export type ReportState = (reason: string | null) => void;

export interface Degradations {
  /**
   * The reporter of a part, which counts as well until it
   * reports a reason.
   */
  of(part: string): ReportState;
  /** Every part with its reason, or "ok". */
  states(): Readonly<Record<string, string>>;
}

/** One report of a part. */
export interface StateReport {
  readonly part: string;
  readonly reason: string | null;
  /** Whether the part has become degraded, or well again. */
  readonly isChange: boolean;
}

/**
 * @param onReport called with every report, so that uses of a
 * fallback can be counted
 */
export function createDegradations(onReport: (report: StateReport) => void): Degradations {
  const reasons = new Map<string, string | null>();
  return {
    of(part) {
      reasons.set(part, null);
      return (reason) => {
        const isChange = (reason === null) !== (reasons.get(part) === null);
        reasons.set(part, reason);
        onReport({ part, reason, isChange });
      };
    },
    states: () => Object.fromEntries([...reasons].map(([part, reason]) => [part, reason ?? "ok"])),
  };
}
