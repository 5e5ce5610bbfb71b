/** Redis URLs: what they mean, and that a wrong one is refused without showing its password. */
import { expect, it } from "vitest";
import { StartupError } from "../../../src/domain/errors.js";
import { describeRedis, parseRedisUrl } from "../../../src/redis/client/url.js";

const at = (host: string, port: number) => ({
  mode: "standalone",
  nodes: [{ host, port }],
  tls: false,
  db: 0,
});

it.each([
  ["redis://localhost", at("localhost", 6379)],
  ["redis://10.0.0.1:7000/3", { ...at("10.0.0.1", 7000), db: 3 }],
  ["redis://[::1]:7000", at("::1", 7000)],
  ["redis://user@host", { ...at("host", 6379), username: "user" }],
  ["redis://:secret@host", { ...at("host", 6379), password: "secret" }],
  [
    "rediss://souk:p%40ss%2Fw:rd@host:6380",
    { ...at("host", 6380), tls: true, username: "souk", password: "p@ss/w:rd" },
  ],
  [
    "unix:/run/redis.sock",
    { mode: "standalone", nodes: [], path: "/run/redis.sock", tls: false, db: 0 },
  ],
  [
    "redis+cluster://a:1,b:2",
    {
      mode: "cluster",
      nodes: [
        { host: "a", port: 1 },
        { host: "b", port: 2 },
      ],
      tls: false,
      db: 0,
    },
  ],
  ["rediss+cluster://a", { mode: "cluster", nodes: [{ host: "a", port: 6379 }], tls: true, db: 0 }],
  [
    "redis+sentinel://a,b:2/shop",
    {
      mode: "sentinel",
      nodes: [
        { host: "a", port: 26379 },
        { host: "b", port: 2 },
      ],
      tls: false,
      db: 0,
      master: "shop",
    },
  ],
  [
    "redis+sentinel://a",
    {
      mode: "sentinel",
      nodes: [{ host: "a", port: 26379 }],
      tls: false,
      db: 0,
      master: "mymaster",
    },
  ],
])("A URL is read: %s", (url, target) => {
  expect(parseRedisUrl(url)).toEqual(target);
});

it.each([
  "redis://",
  "http://user:hunter2@host",
  "redis://user:hunter2@host:99999",
  "redis://user:hunter2@host:6379:1",
  "redis://user:hunter2%zz@host",
  "redis://user:hunter2@host/shop",
  "redis://user:hunter2@a,,b",
])("A URL is refused without its password in the message: %s", (url) => {
  expect(() => parseRedisUrl(url)).toThrow(StartupError);
  expect(() => parseRedisUrl(url)).not.toThrow(/hunter2/);
});

it("A URL is described without user and password.", () => {
  expect(describeRedis("redis://souk:hunter2@host:7000/1")).toBe("host:7000");
  expect(describeRedis("redis+cluster://souk:hunter2@a:1,b:2")).toBe("a:1, b:2 (cluster)");
  expect(describeRedis("unix:/run/redis.sock")).toBe("/run/redis.sock");
});
