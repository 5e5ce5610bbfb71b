/** The registry of followed topics, over a pub/sub that records what is asked of it. */
import { expect, test } from "vitest";
import type { Topic } from "../../../src/domain/events/events.js";
import { type OpenTopic, TopicRegistry } from "../../../src/services/live/topic-registry.js";
import { testLog } from "../../support/log.js";

interface Follower {
  resync(): void;
}

function setUp() {
  const done: string[] = [];
  let resync = (_topic?: Topic): void => {};
  let publish = (_payload: never): void => {};
  let refusal: Error | null = null;
  const registry = new TopicRegistry<"productChanged", Follower, { count: number }>({
    pubsub: {
      async subscribe({ id }, onMessage) {
        done.push(`subscribe ${id}`);
        if (refusal) throw refusal;
        publish = onMessage as typeof publish;
        return async () => void done.push(`unsubscribe ${id}`);
      },
      onResync(listener) {
        resync = listener;
        return () => void done.push("stop");
      },
    },
    log: testLog(),
    createState: () => ({ count: 0 }),
    onMessage: ({ state }) => {
      state.count += 1;
    },
  });
  const follow = (id: number) => {
    const open = registry.open({ kind: "productChanged", id });
    const follower = { resync: () => void done.push(`resync ${id}`) };
    open.followers.add(follower);
    return { open, follower };
  };
  return {
    registry,
    done,
    follow,
    resync: (topic?: Topic) => resync(topic),
    publish: () => publish({ id: 1, version: 1, seen: 0 } as never),
    refuse: (error: Error) => {
      refusal = error;
    },
  };
}

test("A topic is subscribed once for all followers and given back with the last one.", async () => {
  const { registry, done, follow } = setUp();
  const [first, second] = [follow(1), follow(1)];
  expect(first.open).toBe(second.open);
  expect(registry.size).toBe(1);
  registry.release(first.open, first.follower);
  registry.release(first.open, first.follower);
  expect(registry.size).toBe(1);
  registry.release(second.open, second.follower);
  expect(registry.size).toBe(0);
  await registry.close();
  expect(done).toEqual(["subscribe 1", "stop", "unsubscribe 1"]);
});

test("Messages change the state that followers share, and a topic opened anew has its own.", () => {
  const { registry, follow, publish } = setUp();
  const { open, follower } = follow(1);
  registry.release(open, follower);
  const again: OpenTopic<"productChanged", Follower, { count: number }> = follow(1).open;
  publish();
  expect([open.state.count, again.state.count]).toEqual([0, 1]);
});

test("A resync reaches the followers of its topic, or all of them.", () => {
  const { done, follow, resync } = setUp();
  follow(1);
  follow(2);
  resync({ kind: "productChanged", id: 2 });
  resync({ kind: "productChanged", id: 3 });
  resync(undefined);
  expect(done.slice(2)).toEqual(["resync 2", "resync 1", "resync 2"]);
});

test("A topic that Redis refused is released without an error.", async () => {
  const { registry, follow, refuse } = setUp();
  refuse(new Error("NOPERM"));
  const { open, follower } = follow(1);
  await expect(open.subscribed).rejects.toThrow("NOPERM");
  registry.release(open, follower);
  await registry.close();
  expect(registry.size).toBe(0);
});
