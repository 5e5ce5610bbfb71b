/** The bound: what is published is written to every socket, by ws alone. */
import { createServer } from "node:http";
import { Redis } from "ioredis";
import { WebSocketServer } from "ws";

const server = createServer((_request, response) => response.end("ok"));
const sockets = new WebSocketServer({ server, path: "/graphql" });
const subscriber = new Redis(process.env.REDIS_URL);
subscriber.on("message", (_channel, text) => {
  for (const socket of sockets.clients) socket.send(text);
});
await subscriber.subscribe("bare");
process.once("SIGTERM", () => process.exit(0));
server.listen(Number(process.env.PORT), "127.0.0.1");
