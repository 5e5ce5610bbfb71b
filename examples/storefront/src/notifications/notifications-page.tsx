/** The inbox, newest first. */
import { useMutation, useQuery } from "@apollo/client/react";
import { useViewer } from "../account/use-viewer";
import { type FragmentType, graphql, readFragment } from "../generated";
import { paths } from "../shop/route";
import { FailureNote } from "../ui/failure-note";
import { Page } from "../ui/page";
import { UserErrorsNote } from "../ui/user-errors";
import { INBOX, NOTIFICATION } from "./inbox";

const MARK_READ = graphql(`
  mutation MarkRead($upTo: String!) {
    markNotificationsRead(upTo: $upTo) {
      marked
      errors {
        ...UserErrorNote
      }
    }
  }
`);

export function NotificationsPage() {
  const { viewer } = useViewer();
  return (
    <Page title="Notifications">
      {viewer === null ? (
        <p>
          <a href={paths.signIn}>Sign in</a> to see them.
        </p>
      ) : (
        viewer && <Inbox />
      )}
    </Page>
  );
}

/** Reads from the cache alone: what follows the log fills it. */
function Inbox() {
  const { data } = useQuery(INBOX, { fetchPolicy: "cache-only" });
  const [markRead, { data: marked, loading, error }] = useMutation(MARK_READ, {
    errorPolicy: "all",
  });
  if (!data?.viewer) return <p role="status">Loading…</p>;
  const { unreadCount, notifications } = data.viewer;
  const [newest] = notifications.edges;
  return (
    <>
      {newest && unreadCount > 0 && (
        <button
          type="button"
          disabled={loading}
          onClick={() => void markRead({ variables: { upTo: newest.cursor } })}
        >
          Mark all as read
        </button>
      )}
      {error && <FailureNote error={error} />}
      <UserErrorsNote errors={marked?.markNotificationsRead.errors} />
      {!newest && <p>There are none.</p>}
      <ul className="cards">
        {notifications.edges.map(({ cursor, node }) => (
          <Item key={cursor} of={node} />
        ))}
      </ul>
    </>
  );
}

function Item({ of }: { of: FragmentType<typeof NOTIFICATION> }) {
  const { title, body, url, createdAt, readAt } = readFragment(NOTIFICATION, of);
  return (
    <li>
      <strong>{title}</strong>
      {readAt === null && <span>unread</span>}
      {body && <p>{body}</p>}
      {url && <a href={linkOf(url)}>Open</a>}
      <time dateTime={createdAt}>{new Date(createdAt).toLocaleString()}</time>
    </li>
  );
}

/** A path of the shop is a route here. Anything that is no web address leads nowhere. */
function linkOf(url: string): string | undefined {
  if (url.startsWith("/")) return `#${url}`;
  return /^https?:\/\//i.test(url) ? url : undefined;
}
