/** Streams: demand, order, and an end that waits for nothing. */
import { expect, test } from "vitest";
import { mapStream, pullStream, Stream } from "../../../src/domain/concurrency/stream.js";

const DONE = { done: true, value: undefined };

/** A source whose next() never settles by itself, and which records that it was closed. */
function quietSource() {
  let closed = 0;
  const source: AsyncIterator<number> = {
    next: () => new Promise(() => {}),
    return: async () => {
      closed += 1;
      return { done: true, value: undefined };
    },
  };
  return { source, closed: () => closed };
}

async function* numbers(...items: number[]): AsyncGenerator<number> {
  yield* items;
}

async function collect<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of stream) items.push(item);
  return items;
}

test("A pending next() gets the item that is offered, the oldest first.", async () => {
  const stream = new Stream<string>();
  const [first, second] = [stream.next(), stream.next()];
  expect(stream.offer("a")).toBe(true);
  expect(stream.offer("b")).toBe(true);
  expect(await first).toEqual({ done: false, value: "a" });
  expect(await second).toEqual({ done: false, value: "b" });
});

test("A stream keeps no item that no next() asks for.", async () => {
  const stream = new Stream<string>();
  expect(stream.isWanting).toBe(false);
  expect(stream.offer("lost")).toBe(false);
  const next = stream.next();
  expect(stream.isWanting).toBe(true);
  stream.offer("asked for");
  expect(await next).toEqual({ done: false, value: "asked for" });
});

test("Each next() asks the producer, who may answer at once.", async () => {
  let count = 0;
  const stream: Stream<number> = new Stream({ onNext: () => void stream.offer(++count) });
  expect((await stream.next()).value).toBe(1);
  expect((await stream.next()).value).toBe(2);
});

test("A return() ends every pending next() at once and calls the producer once.", async () => {
  let ended = 0;
  const stream = new Stream<string>({ onEnd: () => (ended += 1) });
  const pending = [stream.next(), stream.next()];
  expect(await stream.return()).toEqual(DONE);
  expect(await Promise.all(pending)).toEqual([DONE, DONE]);
  await stream.return();
  stream.end();
  expect(ended).toBe(1);
  expect(await stream.next()).toEqual(DONE);
});

test("A return() waits until the producer has closed, while the pending next() does not.", async () => {
  let close = (): void => {};
  const closing = new Promise<void>((resolve) => {
    close = resolve;
  });
  const stream = new Stream<string>({ onEnd: () => closing });
  const pending = stream.next();
  let isReturned = false;
  const returned = stream.return().then(() => {
    isReturned = true;
  });
  expect(await pending).toEqual(DONE);
  expect(isReturned).toBe(false);
  close();
  await returned;
});

test("A return() rejects when the producer cannot close, and an end() stays silent.", async () => {
  const onEnd = () => Promise.reject(new Error("cannot close"));
  await expect(new Stream({ onEnd }).return()).rejects.toThrow("cannot close");
  const ended = new Stream({ onEnd });
  ended.end();
  expect(await ended.next()).toEqual(DONE);
});

test("A failure rejects the oldest pending next() alone, and the others are done.", async () => {
  const stream = new Stream<string>();
  const [first, second] = [stream.next(), stream.next()];
  stream.fail(new Error("broken"));
  await expect(first).rejects.toThrow("broken");
  expect(await second).toEqual(DONE);
  expect(await stream.next()).toEqual(DONE);
});

test("A failure with no pending next() rejects the following one, once.", async () => {
  const stream = new Stream<string>();
  stream.fail(new Error("broken"));
  stream.fail(new Error("again"));
  await expect(stream.next()).rejects.toThrow("broken");
  expect(await stream.next()).toEqual(DONE);
});

test("A throw() ends the stream and rejects with its error.", async () => {
  let ended = 0;
  const stream = new Stream<string>({ onEnd: () => (ended += 1) });
  const pending = stream.next();
  await expect(stream.throw(new Error("thrown"))).rejects.toThrow("thrown");
  expect(await pending).toEqual(DONE);
  expect(ended).toBe(1);
});

test("A pull runs once at a time, and only while an item is wanted.", async () => {
  let [running, most, pulls] = [0, 0, 0];
  const stream = pullStream(async () => {
    running += 1;
    most = Math.max(most, running);
    await Promise.resolve();
    running -= 1;
    return { done: false, value: ++pulls };
  });
  expect(pulls).toBe(0);
  const items = await Promise.all([stream.next(), stream.next(), stream.next()]);
  expect(items.map(({ value }) => value)).toEqual([1, 2, 3]);
  expect([most, pulls]).toEqual([1, 3]);
});

test("A pull that rejects fails the stream and ends it.", async () => {
  let ended = 0;
  const stream = pullStream<number>(
    () => Promise.reject(new Error("no more")),
    () => (ended += 1),
  );
  await expect(stream.next()).rejects.toThrow("no more");
  expect(await stream.next()).toEqual(DONE);
  expect(ended).toBe(1);
});

test("A mapped stream maps every item in order, also by a promise.", async () => {
  expect(await collect(mapStream(numbers(1, 2, 3), (item) => item * 10))).toEqual([10, 20, 30]);
  const later = mapStream(numbers(1, 2), async (item) => `${item}`);
  const items = await Promise.all([later.next(), later.next(), later.next()]);
  expect(items).toEqual([{ done: false, value: "1" }, { done: false, value: "2" }, DONE]);
});

test("A mapped stream ends at once though its source has nothing to say.", async () => {
  const { source, closed } = quietSource();
  let ended = 0;
  const stream = mapStream(
    source,
    (item) => item,
    () => (ended += 1),
  );
  const pending = stream.next();
  expect(await stream.return()).toEqual(DONE);
  expect(await pending).toEqual(DONE);
  expect([closed(), ended]).toEqual([1, 1]);
});

test("A mapped stream that is mapping ends at once and drops the item.", async () => {
  const stream = mapStream(numbers(1), () => new Promise<number>(() => {}));
  const pending = stream.next();
  await Promise.resolve();
  await stream.return();
  expect(await pending).toEqual(DONE);
});

test("A mapping that throws fails the stream and closes its source.", async () => {
  let closed = 0;
  const source: AsyncIterator<number> = {
    next: async () => ({ done: false, value: 1 }),
    return: async () => {
      closed += 1;
      return { done: true, value: undefined };
    },
  };
  const stream = mapStream(source, (): number => {
    throw new Error("no such item");
  });
  await expect(stream.next()).rejects.toThrow("no such item");
  expect(await stream.next()).toEqual(DONE);
  expect(closed).toBe(1);
});

test("A source that ends by itself ends the mapped stream and is not closed again.", async () => {
  let [closed, ended] = [0, 0];
  const source: AsyncIterator<number> = {
    next: async () => ({ done: true, value: undefined }),
    return: async () => {
      closed += 1;
      return { done: true, value: undefined };
    },
  };
  const stream = mapStream(
    source,
    (item) => item,
    () => (ended += 1),
  );
  expect(await stream.next()).toEqual(DONE);
  expect(await stream.return()).toEqual(DONE);
  expect([closed, ended]).toEqual([0, 1]);
});

test("A source that fails fails the mapped stream.", async () => {
  const stream = mapStream(
    { next: () => Promise.reject(new Error("lost")) } as AsyncIterator<number>,
    (item) => item,
  );
  await expect(stream.next()).rejects.toThrow("lost");
  expect(await stream.next()).toEqual(DONE);
});
