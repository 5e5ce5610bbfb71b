/**
 * Sending notifications: who may, to whom, once. To users that are named they are sent in one
 * transaction; to everyone in steps (broadcasts.ts), so that no request waits for as many inboxes.
 */
import { createHash } from "node:crypto";
import type { Tx } from "../../db/client/database.js";
import type { BroadcastTable } from "../../db/notification/broadcasts.js";
import type { NotificationTable } from "../../db/notification/inbox.js";
import type { NotificationLogTable } from "../../db/notification/log.js";
import type { OperationTable } from "../../db/operations.js";
import { type Principal, requireAdmin } from "../../domain/account/principal.js";
import type { UserError } from "../../domain/errors.js";
import type { OutboxEntry } from "../../domain/events/outbox.js";
import { NOTIFICATION_LIMITS, type NotificationContent } from "../../domain/notification.js";
import type { Clock } from "../../domain/time/clock.js";
import {
  createWriteWithOutbox,
  type Decided,
  type OutboxWriteDeps,
} from "../outbox/write-with-outbox.js";
import { checkContent } from "./draft.js";
import { notificationEntry } from "./notification-kind.js";

/** What an admin sends, and to whom. */
export interface SendRequest {
  readonly content: NotificationContent;
  readonly to: readonly number[] | "everyone";
  /** Makes it safe to repeat. */
  readonly operationId?: string;
}

/** What became of it. */
export interface SendOutcome {
  /** How many users it is for; null where it was refused. */
  readonly recipients: number | null;
  /** Whether every one of them has it by now. */
  readonly delivered: boolean;
  readonly errors: readonly UserError[];
}

/** Sends notifications. */
export interface NotificationSending {
  /**
   * Sends to users, or begins to send to everyone. Repeated with its operation id, it sends nothing
   * and resolves to how it is now. Throws Unauthenticated or Forbidden unless the principal is an
   * admin.
   */
  send(principal: Principal, request: SendRequest): Promise<SendOutcome>;
}

/** What sending takes. */
export interface NotificationSendingParts extends OutboxWriteDeps {
  readonly inboxes: Pick<NotificationTable, "write" | "usersAmong">;
  readonly logs: Pick<NotificationLogTable, "deliver">;
  readonly broadcasts: Pick<BroadcastTable, "begin" | "isOpen" | "users">;
  readonly operations: Pick<OperationTable, "remember" | "made">;
  readonly clock: Clock;
}

const MAX_OPERATION_ID = 128;
const SCOPE = "sendNotification";

export function createNotificationSending({
  inboxes,
  logs,
  broadcasts,
  operations,
  clock,
  ...parts
}: NotificationSendingParts): NotificationSending {
  const write = createWriteWithOutbox(parts);

  /** Nobody is sent anything where somebody is not there. */
  const sendTo = async (
    tx: Tx,
    content: NotificationContent,
    userIds: readonly number[],
  ): Promise<Decided<SendOutcome>> => {
    const there = await inboxes.usersAmong(tx, userIds);
    if (there.length < userIds.length) throw new Refused(NOT_THERE);
    const { id, createdAt } = await inboxes.write(tx, content);
    return {
      decision: sentTo(userIds.length, true),
      owes: [await deliver(logs, tx, { contentId: id, content, createdAt, userIds })],
    };
  };

  const sendToEveryone = async (
    tx: Tx,
    { content, operationId }: SendRequest,
  ): Promise<Decided<SendOutcome>> => {
    const { id: contentId } = await inboxes.write(tx, content);
    const begun: Begun = { contentId, recipients: await broadcasts.begin(tx, contentId) };
    if (operationId !== undefined) await operations.made(tx, operationId, SCOPE, begun);
    return { decision: sentTo(begun.recipients, false), owes: [] };
  };

  const decide = async (tx: Tx, request: SendRequest): Promise<Decided<SendOutcome>> => {
    const { content, to, operationId } = request;
    if (operationId !== undefined) {
      const known = await operations.remember(tx, operationId, SCOPE, fingerprint([content, to]));
      if (!known.first)
        return {
          decision: known.sameInput ? await asItIsNow(tx, to, known.result) : refusal([MISMATCH]),
          owes: [],
        };
    }
    return to === "everyone" ? sendToEveryone(tx, request) : sendTo(tx, content, to);
  };

  const asItIsNow = async (
    tx: Tx,
    to: SendRequest["to"],
    result: unknown,
  ): Promise<SendOutcome> => {
    if (to !== "everyone") return sentTo(to.length, true);
    // One that an older release sent did not note what it made.
    const begun = isBegun(result)
      ? result
      : { contentId: null, recipients: await broadcasts.users(tx) };
    return sentTo(begun.recipients, !(await broadcasts.isOpen(tx, begun.contentId)));
  };

  return {
    async send(principal, { content: input, to, operationId }) {
      requireAdmin(principal);
      const { content, errors } = checkContent(input, clock.nowMs());
      const all = [...errors, ...checkRecipients(to), ...checkOperation(operationId)];
      if (all.length > 0) return refusal(all);
      const request = {
        content,
        to: to === "everyone" ? to : [...new Set(to)],
        ...(operationId === undefined ? {} : { operationId }),
      };
      return write((tx) => decide(tx, request)).then(({ decision }) => decision, unlessRefused);
    },
  };
}

/** Puts written content into inboxes. Resolves to what the outbox owes for it. */
export async function deliver(
  logs: Pick<NotificationLogTable, "deliver">,
  tx: Tx,
  { contentId, userIds, content, createdAt }: Delivering,
): Promise<OutboxEntry> {
  const to = await logs.deliver(tx, contentId, userIds);
  return notificationEntry({ type: "delivered", content, createdAt, to });
}

interface Delivering {
  readonly contentId: number;
  readonly content: NotificationContent;
  readonly createdAt: string;
  readonly userIds: readonly number[];
}

/** What an operation that sends to everyone made, so that a repetition finds it. */
interface Begun {
  readonly contentId: number;
  readonly recipients: number;
}

function isBegun(result: unknown): result is Begun {
  if (typeof result !== "object" || result === null) return false;
  const { contentId, recipients } = result as Partial<Record<keyof Begun, unknown>>;
  return Number.isSafeInteger(contentId) && Number.isSafeInteger(recipients);
}

/** Rolls the transaction back, so that a refusal does not use up its operation id. */
class Refused extends Error {
  constructor(readonly userError: UserError) {
    super(userError.message);
  }
}

function unlessRefused(error: unknown): SendOutcome {
  if (error instanceof Refused) return refusal([error.userError]);
  throw error;
}

const sentTo = (recipients: number, delivered: boolean): SendOutcome => ({
  recipients,
  delivered,
  errors: [],
});
const refusal = (errors: readonly UserError[]): SendOutcome => ({
  recipients: null,
  delivered: false,
  errors,
});
const fingerprint = (input: readonly unknown[]): string =>
  createHash("sha256").update(JSON.stringify(input)).digest("hex");

const NOT_THERE: UserError = {
  code: "NOT_FOUND",
  message: "Nobody is behind one of the ids.",
  field: ["input", "userIds"],
};
const MISMATCH: UserError = {
  code: "IDEMPOTENCY_MISMATCH",
  message:
    "This operationId was used for another notification. Use a new one for each, and the " +
    "same one only to repeat it.",
  field: ["input", "operationId"],
};

function checkRecipients(to: SendRequest["to"]): UserError[] {
  const most = NOTIFICATION_LIMITS.users;
  return to === "everyone" || (to.length >= 1 && to.length <= most)
    ? []
    : [
        {
          code: "OUT_OF_RANGE",
          message: `userIds must be 1 to ${most}, not ${to.length}.`,
          field: ["input", "userIds"],
        },
      ];
}

function checkOperation(operationId: string | undefined): UserError[] {
  if (
    operationId === undefined ||
    (operationId.length > 0 && operationId.length <= MAX_OPERATION_ID)
  )
    return [];
  const code = operationId === "" ? "REQUIRED" : "TOO_LONG";
  return [
    {
      code,
      message: `operationId must have 1 to ${MAX_OPERATION_ID} characters.`,
      field: ["input", "operationId"],
    },
  ];
}
