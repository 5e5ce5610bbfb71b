/**
 * The rounds as Markdown. Each figure is given for the calmest round, which says what the code
 * costs, and for the median, which is what one meets. Ratios compare rounds of one run.
 */

/** CPU of a contestant in its calmest round and in the median of them, in µs a request. */
export function cpuOf({ rounds }) {
  const values = rounds.map(({ cpu }) => cpu);
  return { calmest: Math.min(...values), median: median(values) };
}

/**
 * How many times the CPU of the cheapest of `others` a contestant takes; null without any.
 * Calmest is compared with calmest, median with median.
 */
export function ratioTo(contestant, others) {
  if (others.length === 0) return null;
  const own = cpuOf(contestant);
  const ratio = (which) => own[which] / Math.min(...others.map((other) => cpuOf(other)[which]));
  return { calmest: ratio("calmest"), median: ratio("median") };
}

/** The peer that takes least in the median of its rounds; none where there are bounds alone. */
export const bestOf = (contestants) =>
  peersOf(contestants).sort((a, b) => cpuOf(a).median - cpuOf(b).median)[0];

const peersOf = (contestants) => contestants.filter(({ kind }) => kind === "peer");
const bareFastify = (contestants) => contestants.filter(({ name }) => name === "bare-fastify");

/** The table of one row, a line for each contestant. */
export function rowTable({ contestants }) {
  const lines = contestants.map((one) => {
    const cpu = cpuOf(one);
    const column = (what) => median(one.rounds.map((round) => round[what]));
    return [
      one.title,
      pair(cpu, 0),
      pair(ratioTo(one, peersOf(contestants)), 2),
      pair(ratioTo(one, bareFastify(contestants)), 2),
      column("rps").toFixed(0),
      column("sql").toFixed(2),
      column("redis").toFixed(2),
      `${one.size}`,
      `${failedOf(one)}`,
    ];
  });
  const heads = ["server", "CPU µs/request", "× best peer", "× bare Fastify", "requests/s"];
  return markdown([...heads, "SQL/request", "Redis commands/request", "bytes", "failed"], lines);
}

/** The table of all rows, a line for each of Souk's callers. */
export function summaryTable(rows) {
  const lines = rows.flatMap(({ name, contestants }) =>
    contestants
      .filter(({ kind }) => kind === "souk")
      .map((souk) => [
        `${name}, ${souk.as}`,
        pair(cpuOf(souk), 0),
        bestOf(contestants)?.title ?? "",
        pair(ratioTo(souk, peersOf(contestants)), 2),
        pair(ratioTo(souk, bareFastify(contestants)), 2),
        `${contestants.reduce((failed, one) => failed + failedOf(one), 0)}`,
      ]),
  );
  const heads = ["row", "Souk, CPU µs/request", "best peer", "× best peer", "× bare Fastify"];
  return markdown([...heads, "failed"], lines);
}

/** Answers of the rounds that were no 200, or not the bytes that were verified. */
export const failedOf = ({ rounds }) => rounds.reduce((sum, { failed }) => sum + failed, 0);

const pair = (figures, digits) =>
  figures ? `${figures.calmest.toFixed(digits)}, ${figures.median.toFixed(digits)}` : "";

export const markdown = (heads, lines) =>
  [
    `| ${heads.join(" | ")} |`,
    `|${heads.map((_, at) => (at === 0 ? "---" : "---:")).join("|")}|`,
    ...lines.map((line) => `| ${line.join(" | ")} |`),
  ].join("\n");

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}
