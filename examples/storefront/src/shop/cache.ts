/** How Apollo's cache knows things again, and joins pages. */
import { InMemoryCache } from "@apollo/client";
import { relayStylePagination } from "@apollo/client/utilities";

export const createCache = (): InMemoryCache =>
  new InMemoryCache({
    possibleTypes: {
      Node: ["Brand", "Category", "Leaderboard", "Notification", "Product", "Review", "User"],
      NotificationEvent: ["NotificationDelivered", "NotificationsRead", "StreamGap"],
    },
    typePolicies: {
      Query: { fields: { products: relayStylePagination(["filter", "sort"]) } },
      // A viewer has no id of its own; with the user's, the next one never sees this one's inbox.
      Viewer: { keyFields: ["user", ["id"]] },
    },
  });
