/** Deadlines of replies: they begin when commands leave, and end together. */
import { expect, it } from "vitest";
import { LateReply, OtherReplyLate, PendingReplies } from "../../../src/redis/client/replies.js";

const DEADLINE_MS = 50;
const turn = (): Promise<void> => new Promise(setImmediate);

/** Keeps the event loop for itself. */
function compute(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

/** A reply that comes so many turns after the end of this one. */
const replyAfter = async (turns: number): Promise<string> => {
  for (let left = turns; left >= 0; left -= 1) await turn();
  return "here";
};

it("A turn that takes longer than the deadline makes no reply late that it asks for.", async () => {
  const replies = new PendingReplies(DEADLINE_MS);
  for (let times = 0; times < 5; times += 1) {
    const waiting = [replies.wait(replyAfter(3)), replies.wait(replyAfter(5))];
    compute(3 * DEADLINE_MS);
    expect(await Promise.all(waiting)).toEqual(["here", "here"]);
  }
});

it("All replies that are late end within some turns of the first, however many.", async () => {
  const replies = new PendingReplies(DEADLINE_MS);
  let turns = 0;
  const ended: number[] = [];
  const waiting = Array.from({ length: 500 }, () =>
    replies
      .wait(new Promise(() => {}))
      .catch((error: unknown) => ended.push(error instanceof LateReply ? turns : Number.NaN)),
  );
  let isOver = false;
  const counting = (async () => {
    while (!isOver) {
      await turn();
      turns += 1;
    }
  })();
  await Promise.all(waiting);
  isOver = true;
  await counting;
  expect(ended).toHaveLength(500);
  expect(ended.at(-1)! - ended[0]!).toBeLessThanOrEqual(3);
});

it("A late reply may end all others, and later ones have deadlines of their own.", async () => {
  const replies = new PendingReplies(DEADLINE_MS);
  const never = () => replies.wait(new Promise(() => {}));
  const [first, second] = [never(), never()];
  await expect(
    first.catch((error: unknown) => {
      replies.giveUp();
      throw error;
    }),
  ).rejects.toBeInstanceOf(LateReply);
  await expect(second).rejects.toBeInstanceOf(OtherReplyLate);
  expect(await replies.wait(replyAfter(2))).toBe("here");
  await expect(never()).rejects.toBeInstanceOf(LateReply);
});
