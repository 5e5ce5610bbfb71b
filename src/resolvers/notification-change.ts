/**
 * Sending notifications, and marking one's own as read. The
 * services check rights and bounds.
 */
import { Arg, Args, Ctx, Mutation, Resolver } from "type-graphql";
import { requireAdmin, requireUser } from "../domain/account/principal.js";
import type { UserError } from "../domain/errors.js";
import { decodeIdOf } from "../domain/ids.js";
import { NOTIFICATION_LIMITS } from "../domain/notification.js";
import {
  MarkReadArgs,
  MarkReadPayload,
  NotificationInput,
  NotificationPayload,
} from "../schema/notification/change.js";
import { Works } from "../schema/price.js";
import type { MarkRequest, Notifications } from "../services/notification/notifications.js";
import type { NotificationSending, SendRequest } from "../services/notification/sending.js";
import type { RequestContext } from "./context.js";
import { toInbox } from "./notification.js";

/** The mutations of notifications. */
@Resolver()
export class NotificationMutations {
  constructor(
    private readonly notifications: Pick<Notifications, "markRead">,
    private readonly sending: Pick<NotificationSending, "send">,
  ) {}

  @Works({ by: "input.userIds", price: 1, most: NOTIFICATION_LIMITS.users })
  @Mutation(() => NotificationPayload, {
    description:
      "Sends a notification to users, who have it when this answers, or to everyone, in the " +
      "background: `delivered` says when it is done. ADMIN only, otherwise UNAUTHENTICATED " +
      "or FORBIDDEN.",
  })
  async sendNotification(
    @Arg("input", () => NotificationInput, { description: "What, and to whom." })
    input: NotificationInput,
    @Ctx() ctx: RequestContext,
  ): Promise<NotificationPayload> {
    requireAdmin(ctx.principal);
    const to = readRecipients(input);
    if ("code" in to) return { recipients: null, delivered: false, errors: [to] };
    const { kind, title, body, url = null, expiresAt, operationId } = input;
    const content = { kind, title, body, url, expiresAt: expiresAt?.toISOString() ?? null };
    return this.sending.send(ctx.principal, {
      content,
      ...to,
      ...(typeof operationId === "string" ? { operationId } : {}),
    });
  }

  @Works({ by: "ids", price: 1, per: 10, most: NOTIFICATION_LIMITS.ids })
  @Mutation(() => MarkReadPayload, {
    description:
      "Marks notifications of the caller as read: give exactly one of `upTo` and `ids`. All " +
      "devices are told by `notificationReceived`. Safe to repeat. Signed in only, otherwise " +
      "UNAUTHENTICATED.",
  })
  async markNotificationsRead(
    @Args(() => MarkReadArgs) args: MarkReadArgs,
    @Ctx() ctx: RequestContext,
  ): Promise<MarkReadPayload> {
    const { userId } = requireUser(ctx.principal);
    const request = readMarked(args);
    if ("code" in request)
      return { marked: null, unreadCount: null, inbox: null, errors: [request] };
    const { unread, ...outcome } = await this.notifications.markRead(ctx.principal, request);
    const inbox = unread === null ? null : toInbox(userId, unread);
    return { ...outcome, unreadCount: unread, inbox };
  }
}

function readRecipients({
  userIds,
  everyone,
}: NotificationInput): Pick<SendRequest, "to"> | UserError {
  if (userIds && everyone)
    return { code: "INVALID", message: "Give userIds or everyone, not both.", field: ["input"] };
  if (everyone) return { to: "everyone" };
  if (!userIds)
    return { code: "REQUIRED", message: "Give userIds, or everyone: true.", field: ["input"] };
  const keys = userIds.map((id) => decodeIdOf("User", id));
  return keys.every((key) => key !== null)
    ? { to: keys }
    : {
        code: "INVALID",
        message: "userIds holds something that is not the id of a user.",
        field: ["input", "userIds"],
      };
}

/** Ids of other types count as unknown ids. */
function readMarked({ upTo, ids }: MarkReadArgs): MarkRequest | UserError {
  if (isGiven(upTo) && isGiven(ids))
    return { code: "INVALID", message: "Give upTo or ids, not both.", field: null };
  if (isGiven(upTo)) return { upTo };
  if (!isGiven(ids)) return { code: "REQUIRED", message: "Give upTo or ids.", field: null };
  return { ids: ids.map((id) => decodeIdOf("Notification", id)).filter((key) => key !== null) };
}

const isGiven = <T>(value: T | null | undefined): value is T =>
  value !== null && value !== undefined;
