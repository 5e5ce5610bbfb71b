/** What `npm run outbox` prints about rows and broadcasts. */
import type { TroubledBroadcast } from "../db/notification/broadcast-operating.js";
import type { TroubledRow } from "../db/outbox-operating.js";
import { own } from "../domain/own.js";
import { SECOND } from "../domain/time/time.js";
import { REVOCATION_SPEC } from "../services/account/outbox-kind.js";
import { SCORE_SPEC } from "../services/leaderboard/outbox-kind.js";
import { NOTIFICATION_SPEC } from "../services/notification/outbox-kind.js";
import { CHANGE_SPEC } from "../services/outbox/change-kind.js";
import { grouped } from "../telemetry/progress.js";

export function broadcastLines({
  id,
  contentId,
  title,
  users: [first, last],
  setAside,
  attempts,
  ageMs,
  error,
}: TroubledBroadcast): string {
  const whom = first === last ? `user ${first}` : `users ${first} to ${last}`;
  return [
    `  row b${id}: ${setAside ? "set aside" : "tried again"}, ${secondsOf(ageMs)} old, ` +
      `${attempts} attempts`,
    `    holds  notification ${contentId} (${JSON.stringify(title)}) for ${whom}`,
    `    error  ${error}`,
  ].join("\n");
}

export function rowLines(row: TroubledRow): string {
  const { id, ageMs, setAside, attempts, kind, holds, keys, error } = row;
  const held = Object.entries(holds).flatMap(([list, count]) =>
    count === 0 ? [] : [`${list} (${count ?? "no list"})`],
  );
  const lines = [
    `  row ${id}: ${setAside ? "set aside" : "tried again"}, ${secondsOf(ageMs)} old, ` +
      `${attempts} attempts`,
    `    kind   ${kind}`,
    `    holds  ${held.join(", ") || "nothing"}`,
    ...(keys.length > 0 ? [`    keys   ${keys.join(", ")}`] : []),
    `    error  ${error}`,
  ];
  return lines.join("\n");
}

/** What is lost, by kind and list. */
const LOSSES = new Map(
  [CHANGE_SPEC, NOTIFICATION_SPEC, REVOCATION_SPEC, SCORE_SPEC].map(
    ({ kind, losses }): [string, Readonly<Record<string, string>>] => [kind, losses],
  ),
);

export function lossesOf({ kind, holds }: TroubledRow): string[] {
  const losses = LOSSES.get(kind);
  const lost = Object.entries(holds).flatMap(([list, count]) =>
    count === 0 ? [] : [own(losses, list) ?? list],
  );
  return lost.length > 0 ? lost : ["nothing"];
}

export const secondsOf = (ms: number): string => `${grouped(Math.round(ms / SECOND))} s`;
