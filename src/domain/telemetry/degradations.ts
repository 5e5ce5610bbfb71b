/**
 * What works worse than it should, and why. Parts report here each time they do without something;
 * logs, metrics and /readyz read it, so that no fallback is silent.
 */

/** Reports the state of one part: why it works worse, or null once it works as it should. */
export type ReportState = (reason: string | null) => void;

/** The states of all parts. */
export interface Degradations {
  /** The reporter of a part, which is well until it reports a reason. */
  of(part: string): ReportState;
  /** Every part with its reason, or "ok". */
  states(): Readonly<Record<string, string>>;
}

/** One report of a part. */
export interface StateReport {
  readonly part: string;
  readonly reason: string | null;
  /** Whether the part was well before and is not now, or the other way round. */
  readonly isChange: boolean;
}

/** @param onReport hears every report, so that uses of a fallback can be counted too */
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
