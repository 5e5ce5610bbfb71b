/** The bound of a framework: Fastify sends stored bytes out of a Map. */
import fastify from "fastify";
import { HOST, operationOf, PORT, redis, storedKey } from "./stored.mjs";

const keys = await redis.keys("stored:*");
const answers = new Map();
for (const key of keys) answers.set(key, await redis.get(key));

const app = fastify();
const send = (reply, operation) =>
  reply.type("application/json").send(answers.get(storedKey(operation)));
app.get("/graphql", (request, reply) => send(reply, operationOf(request.query)));
app.post("/graphql", (request, reply) => send(reply, request.body));
await app.listen({ host: HOST, port: PORT });
