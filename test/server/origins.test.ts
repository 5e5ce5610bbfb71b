/** Which pages may call, over HTTP, its preflight and WebSocket, in development and production. */
import { once } from "node:events";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { WebSocket } from "ws";
import { createOriginJudge } from "../../src/server/origins.js";
import { rememberingLog, testLog } from "../support/log.js";
import { startServer, type TestServer } from "./test-server.js";

const LISTED = "https://shop.example";
let development: TestServer;
let production: TestServer;

beforeAll(async () => {
  development = await startServer({ NODE_ENV: "development", ALLOWED_ORIGINS: LISTED });
  production = await startServer({ NODE_ENV: "production", ALLOWED_ORIGINS: LISTED });
});
afterAll(() => Promise.all([development.close(), production.close()]));

const HELLO = { query: "{ hello }" };

/** Whether an answer lets a page of this origin read it, with credentials. */
const isEchoed = (headers: Headers, origin: string): boolean | "partly" => {
  const echoed = [
    headers.get("access-control-allow-origin") === origin,
    headers.get("access-control-allow-credentials") === "true",
  ];
  return echoed[0] === echoed[1] ? echoed[0] === true : "partly";
};

async function connects({ live }: TestServer, origin: string): Promise<boolean | number> {
  const socket = new WebSocket(live, "graphql-transport-ws", { headers: { origin } });
  const refused = once(socket, "unexpected-response").then(([, { statusCode }]) => {
    socket.on("error", () => {}).terminate();
    return Number(statusCode);
  });
  const outcome = await Promise.race([once(socket, "open").then(() => true), refused]);
  if (outcome === true) socket.close();
  return outcome === 403 ? false : outcome;
}

/** How a server takes a page: by HTTP, its preflight, another route, an error, WebSocket. */
async function takes(souk: TestServer, origin: string) {
  const preflight = await fetch(souk.graphql, {
    method: "OPTIONS",
    headers: {
      origin,
      "access-control-request-method": "POST",
      "access-control-request-headers": "content-type,souk-guest,souk-seen,authorization",
    },
  });
  const allowed = preflight.headers.get("access-control-allow-headers");
  return {
    http: isEchoed((await souk.post(HELLO, { origin })).headers, origin),
    error: isEchoed((await souk.post("{", { origin })).headers, origin),
    route: isEchoed((await fetch(`${souk.url}/livez`, { headers: { origin } })).headers, origin),
    preflight: isEchoed(preflight.headers, origin) && preflight.status === 204,
    headers: allowed === "content-type,souk-guest,souk-seen,authorization",
    socket: await connects(souk, origin),
  };
}
const all = (yes: boolean) => ({
  http: yes,
  error: yes,
  route: yes,
  preflight: yes,
  headers: yes,
  socket: yes,
});

describe("pages of other origins", () => {
  test.each([
    "http://localhost:5173",
    "https://localhost:5173",
    "http://localhost",
    "https://localhost",
    "http://127.0.0.1:3000",
    "https://127.0.0.1",
    "http://[::1]:8080",
    "https://[::1]:65535",
  ])("A loopback page may call with credentials in development only: %s", async (origin) => {
    expect(await takes(development, origin)).toEqual(all(true));
    expect(await takes(production, origin)).toEqual(all(false));
  });

  test("A listed page may call with credentials everywhere.", async () => {
    expect(await takes(development, LISTED)).toEqual(all(true));
    expect(await takes(production, LISTED)).toEqual(all(true));
  });

  test.each([
    "null",
    "*",
    "https://evil.example",
    "http://localhost.evil.example",
    "http://evil.localhost",
    "http://localhost.",
    "http://localhost:80",
    "http://LOCALHOST:3000",
    "http://localhost:3000/",
    "http://localhost:99999",
    "http://evil@localhost:3000",
    "http://127.0.0.2:3000",
    "http://127.1:3000",
    "http://2130706433",
    "http://[::ffff:127.0.0.1]",
    "http://0.0.0.0:3000",
    "http://192.168.1.5:3000",
    "ftp://localhost",
    "file://localhost",
    "capacitor://localhost",
    "localhost:3000",
  ])("Any other page is refused, also in development: %s", async (origin) => {
    expect(await takes(development, origin)).toEqual(all(false));
    expect(await takes(production, origin)).toEqual(all(false));
  });

  test("Pages may read the headers that a client needs.", async () => {
    const { headers } = await production.post(HELLO, { origin: LISTED });
    const exposed = headers.get("access-control-expose-headers")?.toLowerCase().split(", ");
    for (const name of [
      "souk-seen",
      "souk-guest",
      "x-request-id",
      "ratelimit",
      "ratelimit-policy",
      "retry-after",
    ])
      expect(exposed).toContain(name);
  });
});

describe("the judgement of an origin", () => {
  const judge = createOriginJudge({ listed: [], loopback: false }, testLog());

  test("An empty origin is none, as if the header were absent.", () => {
    expect([judge("", "shop.example"), judge(undefined, "shop.example")]).toEqual(["none", "none"]);
  });

  test("An origin is ours only in the spelling of a browser for our host.", () => {
    expect([
      judge("http://shop.example:4000", "shop.example:4000"),
      judge("https://shop.example", "SHOP.example"),
    ]).toEqual(["own", "own"]);
    for (const [origin, host] of [
      ["null", "null"],
      ["file://", ""],
      ["data:x", ""],
      ["ftp://shop.example", "shop.example"],
      ["http://evil@shop.example", "shop.example"],
      ["http://shop.example/", "shop.example"],
      ["http://shop.example.evil.example", "shop.example"],
      ["http://shop.example", undefined],
    ] as const)
      expect([origin, judge(origin, host)]).toEqual([origin, "refused"]);
  });
});

describe("the log of refused origins", () => {
  /** A judge with a clock of its own, and the origins that its log named. */
  function logging() {
    const { log, lines } = rememberingLog();
    const clock = { nowMs: 1_000 };
    const judge = createOriginJudge({ listed: [LISTED], loopback: true }, log, () => clock.nowMs);
    const named = () => lines.map((line) => JSON.parse(line) as { origin: string; msg: string });
    return { judge, clock, named };
  }

  test("A refused page is one line that names its origin and ALLOWED_ORIGINS.", async () => {
    const origin = "https://unlisted.example";
    const { log, lines } = rememberingLog();
    const souk = await startServer({ NODE_ENV: "production" }, { log });
    onTestFinished(() => souk.close());
    await takes(souk, origin);
    const naming = lines.filter((line) => line.includes(origin));
    expect(naming.map((line) => JSON.parse(line))).toEqual([
      expect.objectContaining({
        level: 40,
        origin,
        variable: "ALLOWED_ORIGINS",
        msg: expect.stringContaining("ALLOWED_ORIGINS"),
      }),
    ]);
  });

  test("An origin is named once a minute, however often it calls.", () => {
    const { judge, clock, named } = logging();
    for (clock.nowMs = 1_000; clock.nowMs < 61_000; clock.nowMs += 500)
      judge("https://a.example", "souk.example");
    expect(named()).toHaveLength(1);
    clock.nowMs = 61_001;
    judge("https://a.example", "souk.example");
    judge("https://a.example", "souk.example");
    expect(named()).toHaveLength(2);
  });

  test("Pages that may call, and clients without a page, are no lines.", () => {
    const { judge, named } = logging();
    judge(LISTED, "souk.example");
    judge("http://localhost:5173", "souk.example");
    judge("https://souk.example", "souk.example");
    judge(undefined, "souk.example");
    expect(named()).toEqual([]);
  });

  test("A flood of origins is a hundred lines a minute, and the last one says so.", () => {
    const { judge, clock, named } = logging();
    const flood = () => {
      for (let page = 0; page < 10_000; page++) judge(`https://${page}.example`, "souk.example");
    };
    flood();
    flood();
    const lines = named();
    expect(lines).toHaveLength(100);
    expect(new Set(lines.map(({ origin }) => origin)).size).toBe(100);
    expect(lines.filter(({ msg }) => msg.includes("further origins are not named"))).toEqual([
      lines[99],
    ]);
    clock.nowMs += 60_001;
    flood();
    expect(named()).toHaveLength(200);
  });

  test("The origin null is not told to be listed, and a long one is cut.", () => {
    const { judge, named } = logging();
    judge("null", "souk.example");
    judge(`https://${"a".repeat(10_000)}.example`, "souk.example");
    const [first, second] = named();
    expect(first?.msg).toContain("cannot list it");
    expect(second?.origin).toHaveLength(200);
  });
});
