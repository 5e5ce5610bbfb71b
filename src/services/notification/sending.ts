/**
 * Sending notifications: authorisation, recipients,
 * once per operation id. Named users are sent theirs in
 * one transaction. Everyone is sent theirs in steps
 * (broadcasts.ts). So no request waits for as many
 * inboxes.
 */
import type { Tx } from "../../db/client/database.js";
import type { BroadcastTable } from "../../db/notification/broadcasts.js";
import type { NotificationLogTable } from "../../db/notification/event-log.js";
import type { NotificationTable } from "../../db/notification/inbox.js";
import type { OperationTable } from "../../db/operations.js";
import { type Principal, requireAdmin } from "../../domain/account/principal.js";
import { type UserError, userError } from "../../domain/errors.js";
import type { OutboxEntry } from "../../domain/events/outbox.js";
import { NOTIFICATION_LIMITS, type NotificationContent } from "../../domain/notification.js";
import type { Clock } from "../../domain/time/clock.js";
import { checkOperationId, fingerprint, Refused, refusalIn } from "../operation-id.js";
import {
  createWriteWithOutbox,
  type Decided,
  type OutboxWriteDeps,
} from "../outbox/write-with-outbox.js";
import { checkContent } from "./draft.js";
import { notificationEntry } from "./outbox-kind.js";

export interface SendRequest {
  readonly content: NotificationContent;
  readonly to: readonly number[] | "everyone";
  /** Makes it safe to repeat. */
  readonly operationId?: string;
}

export interface SendOutcome {
  /** Number of recipients; null where it was refused. */
  readonly recipients: number | null;
  /** Whether all of them have it by now. */
  readonly delivered: boolean;
  readonly errors: readonly UserError[];
}

export interface NotificationSending {
  /**
   * Sends to users, or begins to send to everyone. Repeated
   * with its operation id, it sends nothing and resolves to
   * the present state. Throws Unauthenticated or Forbidden
   * unless the principal is an admin.
   */
  send(principal: Principal, request: SendRequest): Promise<SendOutcome>;
}

export interface NotificationSendingDeps extends OutboxWriteDeps {
  readonly inboxes: Pick<NotificationTable, "write" | "usersAmong">;
  readonly eventLogs: Pick<NotificationLogTable, "deliver">;
  readonly broadcasts: Pick<BroadcastTable, "begin" | "isOpen" | "users">;
  readonly operations: Pick<OperationTable, "remember" | "made">;
  readonly clock: Clock;
}

const SCOPE = "sendNotification";

export function createNotificationSending(deps: NotificationSendingDeps): NotificationSending {
  const write = createWriteWithOutbox(deps);
  return {
    async send(principal, input) {
      requireAdmin(principal);
      const { request, errors } = checkRequest(input, deps.clock.nowMs());
      if (errors.length > 0) return { ...UNSENT, errors };
      return write((tx) => decide(deps, tx, request)).then(
        ({ decision }) => decision,
        (error) => ({ ...UNSENT, errors: [refusalIn(error)] }),
      );
    },
  };
}

/** The request to send, and all errors. */
function checkRequest({ content: input, to, operationId }: SendRequest, nowMs: number) {
  const { content, errors: wrong } = checkContent(input, nowMs);
  const errors = [
    ...wrong,
    checkRecipients(to),
    checkOperationId(operationId, ["input", "operationId"]),
  ].filter((error) => error !== null);
  const request: SendRequest = {
    content,
    to: to === "everyone" ? to : [...new Set(to)],
    ...(operationId === undefined ? {} : { operationId }),
  };
  return { request, errors };
}

async function decide(
  deps: NotificationSendingDeps,
  tx: Tx,
  request: SendRequest,
): Promise<Decided<SendOutcome>> {
  const { content, to, operationId } = request;
  if (operationId !== undefined) {
    const print = fingerprint([content, to]);
    const known = await deps.operations.remember(tx, operationId, SCOPE, print);
    if (!known.first) {
      const decision = known.sameInput
        ? await presentOutcome(deps, tx, to, known.result)
        : { ...UNSENT, errors: [OTHER_NOTIFICATION] };
      return { decision, owes: [] };
    }
  }
  return to === "everyone" ? sendToEveryone(deps, tx, request) : sendTo(deps, tx, content, to);
}

/** One unknown user refuses the whole request. */
async function sendTo(
  { inboxes, eventLogs }: Pick<NotificationSendingDeps, "inboxes" | "eventLogs">,
  tx: Tx,
  content: NotificationContent,
  userIds: readonly number[],
): Promise<Decided<SendOutcome>> {
  const present = await inboxes.usersAmong(tx, userIds);
  if (present.length < userIds.length) throw new Refused(NOT_THERE);
  const { id, createdAt } = await inboxes.write(tx, content);
  return {
    decision: sentTo(userIds.length, true),
    owes: [await deliver(eventLogs, tx, { contentId: id, content, createdAt, userIds })],
  };
}

async function sendToEveryone(
  { inboxes, broadcasts, operations }: NotificationSendingDeps,
  tx: Tx,
  { content, operationId }: SendRequest,
): Promise<Decided<SendOutcome>> {
  const { id: contentId } = await inboxes.write(tx, content);
  const begun: Begun = { contentId, recipients: await broadcasts.begin(tx, contentId) };
  if (operationId !== undefined) await operations.made(tx, operationId, SCOPE, begun);
  return { decision: sentTo(begun.recipients, false), owes: [] };
}

/** The outcome of an earlier operation, as it is now. */
async function presentOutcome(
  { broadcasts }: Pick<NotificationSendingDeps, "broadcasts">,
  tx: Tx,
  to: SendRequest["to"],
  result: unknown,
): Promise<SendOutcome> {
  if (to !== "everyone") return sentTo(to.length, true);
  // Operations of an older release have no result.
  const begun = isBegun(result)
    ? result
    : { contentId: null, recipients: await broadcasts.users(tx) };
  return sentTo(begun.recipients, !(await broadcasts.isOpen(tx, begun.contentId)));
}

/** Puts written content into inboxes. Resolves to its outbox row. */
export async function deliver(
  eventLogs: Pick<NotificationLogTable, "deliver">,
  tx: Tx,
  { contentId, userIds, content, createdAt }: Delivering,
): Promise<OutboxEntry> {
  const to = await eventLogs.deliver(tx, contentId, userIds);
  return notificationEntry({ type: "delivered", content, createdAt, to });
}

interface Delivering {
  readonly contentId: number;
  readonly content: NotificationContent;
  readonly createdAt: string;
  readonly userIds: readonly number[];
}

/** Result of a broadcast's operation, for repetitions. */
interface Begun {
  readonly contentId: number;
  readonly recipients: number;
}

function isBegun(result: unknown): result is Begun {
  if (typeof result !== "object" || result === null) return false;
  const { contentId, recipients } = result as Partial<Record<keyof Begun, unknown>>;
  return Number.isSafeInteger(contentId) && Number.isSafeInteger(recipients);
}

const sentTo = (recipients: number, delivered: boolean): SendOutcome => ({
  recipients,
  delivered,
  errors: [],
});
const UNSENT = { recipients: null, delivered: false };

const NOT_THERE = userError("NOT_FOUND", ["input", "userIds"], "Nobody is behind one of the ids.");
const OTHER_NOTIFICATION = userError(
  "IDEMPOTENCY_MISMATCH",
  ["input", "operationId"],
  "This operationId was used for another notification. Use a new one for each, and the " +
    "same one only to repeat it.",
);

function checkRecipients(to: SendRequest["to"]): UserError | null {
  const max = NOTIFICATION_LIMITS.users;
  if (to === "everyone" || (to.length >= 1 && to.length <= max)) return null;
  const message = `userIds must be 1 to ${max}, not ${to.length}.`;
  return userError("OUT_OF_RANGE", ["input", "userIds"], message);
}
