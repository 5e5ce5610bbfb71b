/** The servers that every other test stands on. */
import { readFile } from "node:fs/promises";
import { GraphQLSchema, graphql } from "graphql";
import { Redis } from "ioredis";
import { buildSchemaSync, Field, ID, ObjectType, Query, Resolver } from "type-graphql";
import { describe, expect, test } from "vitest";
import { startRedisCluster, startRedisServer, testRedis } from "./redis.js";
import { otherCaFile, tlsFiles } from "./tls.js";

@ObjectType()
class Shelf {
  @Field(() => ID, { description: "which one" })
  id!: string;
}

@Resolver(() => Shelf)
class ShelfResolver {
  @Query(() => Shelf)
  shelf(): Shelf {
    return Object.assign(new Shelf(), { id: "7" });
  }
}

describe("the shared redis-server", () => {
  test("The shared redis-server answers under a prefix of the test's own.", async () => {
    const { keys, connect } = testRedis();
    const redis = connect();
    await redis.set(keys.cacheSeen(), "1");
    expect(await redis.get(keys.cacheSeen())).toBe("1");
    expect(testRedis().keys.cacheSeen()).not.toBe(keys.cacheSeen());
  });
});

describe("a private redis-server", () => {
  test("A killed redis-server comes back on the same port with what it had saved.", async () => {
    const server = await startRedisServer({
      args: ["--appendonly", "yes", "--appendfsync", "always"],
    });
    const redis = new Redis(server.url);
    redis.on("error", () => {});
    await redis.set("kept", "yes");
    const { pid } = server;
    await server.kill();
    await server.restart();
    expect(server.pid).not.toBe(pid);
    expect(await redis.get("kept")).toBe("yes");
    redis.disconnect();
    await server.stop();
    expect(() => process.kill(server.pid, 0)).toThrow("ESRCH");
  });
});

test("A Cluster of three primaries holds every slot.", async () => {
  const cluster = await startRedisCluster();
  const client = new Redis.Cluster([
    { host: "127.0.0.1", port: Number(new URL(cluster.url).port) },
  ]);
  await Promise.all(["a", "b", "c", "d", "e", "f"].map((key) => client.set(key, key)));
  expect(await client.get("c")).toBe("c");
  expect(client.nodes("master")).toHaveLength(3);
  client.disconnect();
  await cluster.stop();
});

test("Decorators compile as in the build, and there is one copy of graphql.", async () => {
  const schema = buildSchemaSync({ resolvers: [ShelfResolver], validate: false });
  expect(schema).toBeInstanceOf(GraphQLSchema);
  expect(await graphql({ schema, source: "{ shelf { id } }" })).toEqual({
    data: { shelf: { id: "7" } },
  });
});

test("A TLS server takes a user with a password, and no other.", async () => {
  const server = await startRedisServer({
    tls: tlsFiles,
    args: ["--user", "default", "off", "--user", "shop", "on", ">secret", "~shop:*", "+@all"],
  });
  const ca = await readFile(tlsFiles.caFile);
  const redis = new Redis(server.url.replace("127", "shop:secret@127"), { tls: { ca } });
  expect(await redis.set("shop:a", "1")).toBe("OK");
  redis.disconnect();
  const stranger = new Redis(server.url, {
    tls: { ca },
    lazyConnect: true,
    retryStrategy: null,
    enableReadyCheck: false,
  });
  stranger.on("error", () => {});
  await expect(stranger.get("shop:a")).rejects.toThrow(/NOAUTH/);
  stranger.disconnect();
  const deceived = new Redis(server.url, {
    tls: { ca: await readFile(otherCaFile) },
    retryStrategy: null,
    lazyConnect: true,
  });
  const refusal = new Promise<Error>((resolve) => deceived.once("error", resolve));
  await deceived.connect().catch(() => {});
  expect((await refusal).message).toMatch(/certificate|unable to verify/);
  deceived.disconnect();
  await server.stop();
});
