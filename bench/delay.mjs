/**
 * How long a change takes to be seen elsewhere: written through one process, received by a
 * WebSocket subscription on another. The clock starts when the mutation is sent, so the write
 * itself is part of it; writes go to different products, so that conflation, which holds a second
 * change of the same product back on purpose, does not.
 */
import WebSocket from "ws";
import { ADMIN_TOKEN, startSouk } from "./contestants.mjs";
import { ask } from "./load.mjs";

const WATCHED = 100;
const PRODUCTS = { query: `{ products(first: ${WATCHED}) { edges { node { id stock } } } }` };
const WRITE =
  "mutation Adjust($id: ID!) { adjustStock(id: $id, by: 1) { product { stock } errors { code " +
  "message } } }";
const WATCH =
  "subscription Watch($ids: [ID!]!) { productChanged(ids: $ids) { id product { stock } } }";

/** Measures and prints p50, p99 and the longest. */
export async function measureDelay({ writer, writes, ...place }) {
  const reader = await startSouk(place);
  const { products } = await ask(writer.url, PRODUCTS);
  const stocks = new Map(products.edges.map(({ node }) => [node.id, node.stock]));
  const watch = await watchStocks(reader.url, [...stocks.keys()]);
  const delays = [];
  const answers = [];
  for (let write = 0; write < writes; write += 1) {
    const id = products.edges[write % products.edges.length].node.id;
    const stock = stocks.get(id) + 1;
    stocks.set(id, stock);
    const began = performance.now();
    const seen = watch.sees(id, stock).then(() => delays.push(performance.now() - began));
    const { adjustStock } = await ask(
      writer.url,
      { query: WRITE, variables: { id } },
      { authorization: `Bearer ${ADMIN_TOKEN}` },
    );
    answers.push(performance.now() - began);
    if (adjustStock.errors.length > 0) throw new Error(JSON.stringify(adjustStock.errors));
    await seen;
  }
  watch.close();
  const line = (values) =>
    `p50 ${quantile(values, 0.5)} ms, p99 ${quantile(values, 0.99)} ms, longest ` +
    `${quantile(values, 1)} ms`;
  console.log(
    "\nFrom sending a write to one process until the value is on a socket of another, " +
      `${writes} writes: ${line(delays)} (aim: p99 ≤ 100 ms).`,
  );
  console.log(`The answer to the write itself: ${line(answers)}.`);
}

const quantile = (values, share) =>
  [...values]
    .sort((a, b) => a - b)
    [Math.min(values.length - 1, Math.floor(share * values.length))].toFixed(1);

/**
 * A subscription by hand: connection_init, subscribe, and the latest stock of each product as it
 * comes.
 */
async function watchStocks(url, ids) {
  const socket = new WebSocket(url.replace("http", "ws"), "graphql-transport-ws");
  const latest = new Map();
  const waiting = new Map();
  let fail = () => {};
  const failed = new Promise((_, reject) => {
    fail = (error) => reject(error);
  });
  failed.catch(() => {});
  const receive = ({ id, product }) => {
    latest.set(id, product.stock);
    waiting.get(id)?.(product.stock);
  };
  const refuse = (message) =>
    fail(new Error(`the subscription failed: ${JSON.stringify(message)}`));
  const handlers = {
    connection_ack: () =>
      socket.send(
        JSON.stringify({
          id: "watch",
          type: "subscribe",
          payload: { query: WATCH, variables: { ids } },
        }),
      ),
    ping: () => socket.send(JSON.stringify({ type: "pong" })),
    next: (message) =>
      message.payload.data ? receive(message.payload.data.productChanged) : refuse(message),
  };
  const start = new Promise((resolve) => {
    socket.on("message", (text) => {
      const message = JSON.parse(text);
      (handlers[message.type] ?? refuse)(message);
      if (latest.size === ids.length) resolve();
    });
  });
  socket.on("close", (code, reason) => fail(new Error(`the socket closed with ${code} ${reason}`)));
  socket.on("error", (error) => fail(error));
  socket.once("open", () => socket.send(JSON.stringify({ type: "connection_init" })));
  await Promise.race([start, failed]);
  const sees = (id, stock) =>
    Promise.race([
      failed,
      new Promise((resolve) => waiting.set(id, (seen) => seen === stock && resolve())),
    ]);
  return { sees, close: () => socket.terminate() };
}
