/**
 * Follows notifications for as long as it runs, and goes on where it was when it is started again.
 *
 *     npx tsc -p examples/client && node examples/client/dist/follow.js [url] [file of the cursor]
 *
 * SHOP_EMAIL and SHOP_PASSWORD in the environment sign in; SHOP_TOKEN is a session's token instead.
 */
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { SignInDocument } from "./generated/operations.js";
import { type CursorStore, followNotifications } from "./notifications.js";
import { createShop } from "./shop-client.js";

const [url = "http://127.0.0.1:4000/graphql", file = "notifications.cursor"] =
  process.argv.slice(2);

const shop = createShop({
  url,
  token: process.env.SHOP_TOKEN ?? (await signIn()),
  onConnected: () => console.log("connected"),
});
const stop = await followNotifications(shop, cursorIn(file), {
  onDelivered: ({ notification, unreadCount }) =>
    console.log(`${notification.kind}: ${notification.title} (${unreadCount} unread)`),
  onRead: ({ unreadCount }) => console.log(`read (${unreadCount} unread)`),
  onGap: ({ reason }) => console.log(`gap: ${reason}; reading the inbox again would be right now`),
  onError: (error) => {
    console.error(error.message);
    process.exitCode = 1;
  },
});
process.once("SIGTERM", () => {
  stop();
  void shop.close();
});

async function signIn(): Promise<string> {
  const input = {
    email: process.env.SHOP_EMAIL ?? "",
    password: process.env.SHOP_PASSWORD ?? "",
    deliver: "TOKEN",
  } as const;
  const guest = createShop({ url });
  const { data } = await guest.apollo.mutate({ mutation: SignInDocument, variables: { input } });
  await guest.close();
  const { token, errors } = data?.signIn ?? {};
  if (!token) throw new Error(errors?.map(({ message }) => message).join("\n") ?? "no answer");
  return token;
}

/**
 * Written to another file first, so that a crash leaves the old cursor or the new one, never half
 * of it.
 */
function cursorIn(path: string): CursorStore {
  return {
    load: () => (existsSync(path) ? readFileSync(path, "utf8") : null),
    save(cursor) {
      writeFileSync(`${path}.new`, cursor);
      renameSync(`${path}.new`, path);
    },
  };
}
