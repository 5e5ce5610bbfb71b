/**
 * Shows the progress of a command: a bar on a terminal, a line
 * now and then elsewhere.
 */

/** Progress goes to standard error, so that output stays clean. */
export type ProgressStream = Pick<NodeJS.WriteStream, "write" | "isTTY">;

export interface Progress {
  /** @param share 0..1, or null when the end is not known */
  show(share: number | null, text: string): void;
  /** Ends the bar's line. */
  end(): void;
}

const BAR_WIDTH = 30;
const REDRAW_EVERY_MS = 100;
const LINE_EVERY_MS = 5_000;

/** A display on `stream`; `now` is in milliseconds. */
export function createProgress(
  stream: ProgressStream = process.stderr,
  now: () => number = () => performance.now(),
): Progress {
  const everyMs = stream.isTTY ? REDRAW_EVERY_MS : LINE_EVERY_MS;
  let shownAt = Number.NEGATIVE_INFINITY;
  let phase = "";
  return {
    show(share, text) {
      const newPhase = text.replace(/[\d,]+/g, "") !== phase;
      if (!newPhase && now() - shownAt < everyMs) return;
      phase = text.replace(/[\d,]+/g, "");
      shownAt = now();
      stream.write(
        stream.isTTY
          ? `\r\x1b[K${bar(share)} ${text}`
          : `${share === null ? "" : `${percent(share)} `}${text}\n`,
      );
    },
    end() {
      if (stream.isTTY && phase) stream.write("\n");
      phase = "";
    },
  };
}

const percent = (share: number): string => `${Math.floor(share * 100)} %`.padStart(5);

function bar(share: number | null): string {
  if (share === null) return "…";
  const full = Math.round(Math.min(1, share) * BAR_WIDTH);
  return `${"█".repeat(full)}${"░".repeat(BAR_WIDTH - full)} ${percent(share)}`;
}

/** 12345 as people read it: 12,345. */
export const grouped = (count: number): string => count.toLocaleString("en");
