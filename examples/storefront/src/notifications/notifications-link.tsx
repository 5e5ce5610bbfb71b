/** The way to the notifications, with how many are unread. It follows the log while it is shown. */
import { useQuery } from "@apollo/client/react";
import { useEffect, useState } from "react";
import { readFragment } from "../generated";
import { paths } from "../shop/route";
import { useShop } from "../shop/use-shop";
import { FailureNote } from "../ui/failure-note";
import { followInbox } from "./follow-inbox";
import { INBOX, NOTIFICATION } from "./inbox";

export function NotificationsLink() {
  const { error, retry } = useFollowedInbox();
  const { data } = useQuery(INBOX, { fetchPolicy: "cache-only" });
  const unread = data?.viewer?.unreadCount ?? 0;
  const newest = readFragment(NOTIFICATION, data?.viewer?.notifications.edges[0]?.node);
  return (
    <>
      <a href={paths.notifications}>{unread > 0 ? `Notifications (${unread})` : "Notifications"}</a>
      <p className="hidden" aria-live="polite">
        {newest && newest.readAt === null && `Newest notification: ${newest.title}`}
      </p>
      {error !== undefined && <FailureNote error={error} onRetry={retry} />}
    </>
  );
}

function useFollowedInbox(): { error: unknown; retry(): void } {
  const shop = useShop();
  const [error, setError] = useState<unknown>();
  const [attempt, setAttempt] = useState(0);
  // biome-ignore lint/correctness/useExhaustiveDependencies: an attempt begins anew
  useEffect(() => followInbox(shop, setError), [shop, attempt]);
  return {
    error,
    retry() {
      setError(undefined);
      setAttempt(attempt + 1);
    },
  };
}
