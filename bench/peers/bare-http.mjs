/** The bound of a shared store: node:http sends the bytes of one GET from Redis. */
import { createServer } from "node:http";
import { HOST, operationOf, PORT, redis, storedKey } from "./stored.mjs";

async function send(response, operation) {
  const bytes = await redis.getBuffer(storedKey(operation));
  response.writeHead(bytes ? 200 : 404, {
    "content-type": "application/json",
    "content-length": bytes?.length ?? 0,
  });
  response.end(bytes);
}

createServer((request, response) => {
  if (request.method === "GET") {
    const { searchParams } = new URL(request.url, "http://bench.invalid");
    return void send(response, operationOf(Object.fromEntries(searchParams)));
  }
  let body = "";
  request.setEncoding("utf8");
  request.on("data", (chunk) => {
    body += chunk;
  });
  request.on("end", () => void send(response, JSON.parse(body)));
}).listen(PORT, HOST);
