/**
 * How big a drill is: a sample in `npm test`, all of it in `npm run drill`. The code is the same;
 * the seed is printed by whoever uses it.
 */
export function drillSize({ sample, full }: { sample: number; full: number }): number {
  return process.env.DRILL === "full" ? full : sample;
}
