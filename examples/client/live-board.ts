/**
 * A live board in the terminal: the top of a leaderboard, drawn again whenever it changes.
 *
 *     npx tsc -p examples/client && node examples/client/dist/live-board.js [slug] [url]
 *
 * Every message is the whole top, so there is nothing to remember: after a reconnect the first
 * message makes good what was missed.
 */
import { LiveBoardDocument, type LiveBoardSubscription } from "./generated/operations.js";
import { createShop } from "./shop-client.js";

const slug = process.argv[2] ?? "best-selling-products";
const url = process.argv[3] ?? "http://127.0.0.1:4000/graphql";

const shop = createShop({ url });
shop.apollo
  .subscribe({ query: LiveBoardDocument, variables: { slug, period: "DAY", top: 10 } })
  .subscribe({
    next: ({ data, error }) => (error ? stop(error) : data && draw(data.leaderboardChanged)),
    error: stop,
  });

function draw({
  leaderboard,
  entries,
  total,
  version,
}: LiveBoardSubscription["leaderboardChanged"]): void {
  console.log(`\n${leaderboard.title}, today: ${total} in all, version ${version}`);
  for (const { rank, score, label } of entries)
    console.log(`${String(rank).padStart(4)}  ${label.padEnd(40)} ${score}`);
}

function stop(error: unknown): void {
  console.error((error as Error).message);
  process.exitCode = 1;
  void shop.close();
}
