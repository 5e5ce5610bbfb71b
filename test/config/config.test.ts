import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { configPartsOf, SUBJECTS } from "../../src/app/subjects.js";
import { readConfig as readWithParts, settingsOf, variablesOf } from "../../src/config/config.js";
import { definePart } from "../../src/config/part.js";
import { count } from "../../src/config/values.js";
import { StartupError } from "../../src/domain/errors.js";
import { ROOT } from "../support/node-process.js";

const PARTS = configPartsOf(SUBJECTS);
const readConfig = (env: Record<string, string>) => readWithParts(env, PARTS);

/** The message of a configuration that is refused. */
function refusal(env: Record<string, string>, parts = PARTS): string {
  try {
    readWithParts(env, parts);
  } catch (error) {
    if (error instanceof StartupError) return error.message;
    throw error;
  }
  throw new Error("the configuration was accepted");
}

describe(".env.example", () => {
  test("The file .env.example has every variable, meaning and default, and no other.", async () => {
    const text = await readFile(join(ROOT, ".env.example"), "utf8");
    const listed = [...text.matchAll(/^# (.+)\n([A-Z_]+)=(.*)$/gm)].map(
      ([, meaning, name, value]) => ({ name, meaning, value }),
    );
    const declared = Object.entries(variablesOf(PARTS)).map(([name, field]) => ({
      name,
      meaning: field.description,
      value: String(field.safeParse(undefined).data ?? ""),
    }));
    expect(listed).toEqual(declared);
    expect(text.match(/^[^#\n].*$/gm)).toHaveLength(declared.length);
  });

  test("A copy of .env.example means the same as no .env file.", async () => {
    const text = await readFile(join(ROOT, ".env.example"), "utf8");
    const copied = Object.fromEntries(
      [...text.matchAll(/^([A-Z_]+)=(.*)$/gm)].map(([, name, value]) => [name, value]),
    );
    expect(readConfig(copied)).toEqual(readConfig({}));
  });
});

describe("the configuration", () => {
  test("A StartupError names all bad variables at once.", () => {
    const message = refusal({
      PORT: "70000",
      CACHE_TTL_MS: "soon",
      SHOP_CURRENCY: "XYZ",
      DATABASE_URL: "mysql://shop",
      EXPLORER: "yes",
    });
    for (const name of ["PORT", "CACHE_TTL_MS", "SHOP_CURRENCY", "DATABASE_URL", "EXPLORER"])
      expect(message).toContain(name);
    expect(message).toContain(".env.example");
  });

  test("A bad value is shown, but never one that may hold a secret.", () => {
    const message = refusal({
      PORT: "lots",
      ADMIN_TOKEN: "hunter2",
      REDIS_URL: "http://shop:hunter2@redis",
      CACHE_REDIS_URL: "redis:/hunter2",
      DATABASE_URL: "mysql://shop:hunter2@db",
    });
    expect(message).toContain('PORT="lots"');
    expect(message).not.toContain("hunter2");
  });

  test("A bucket too small for one operation is refused, whichever of the two changed.", () => {
    expect(refusal({ LIMIT_COST: "500000" })).toContain(
      "  LIMIT_VIEWER_BURST: is less than LIMIT_COST",
    );
    expect(refusal({ LIMIT_BLOCK_BURST: "5" })).toContain(
      '  LIMIT_BLOCK_BURST="5": is less than LIMIT_COST',
    );
  });

  test("The message of a bad configuration shows neither zod nor a stack.", () => {
    expect(refusal({ PORT: "lots" })).not.toMatch(/zod|at .*\.(ts|js):/i);
  });

  test.each([
    ["PORT", "70000", "is out of bounds: it must be from 0 to 65535"],
    ["PORT", "-1", "is out of bounds"],
    [
      "CACHE_TTL_MS",
      "99999999999999999999",
      "is out of bounds: it must be from 1 to 9007199254740991",
    ],
    ["CACHE_TTL_MS", "1e400", "is out of bounds"],
    ["CACHE_TTL_MS", "0", "is out of bounds"],
    [
      "LIMIT_VIEWER_PER_SECOND",
      "1e10",
      "is out of bounds: it must be more than 0 and at most 1000000000",
    ],
    ["LIMIT_VIEWER_PER_SECOND", "0", "is out of bounds"],
    ["CACHE_TTL_MS", "1.5", "is not a whole number"],
    ["CACHE_TTL_MS", "soon", "is not a number"],
    ["CACHE_TTL_MS", "NaN", "is not a number"],
    ["CACHE_TTL_MS", "Infinity", "is not a number"],
    ["CACHE_TTL_MS", "0x10", "is not a number"],
    ["CACHE_TTL_MS", "5 000", "is not a number"],
  ])("A number is refused for what it is: %s=%s.", (name, value, message) => {
    expect(refusal({ [name]: value })).toContain(`  ${name}=${JSON.stringify(value)}: ${message}`);
  });

  test.each(["4001", " 4001 ", "+4001", "4.001e3", "4001.0"])(
    "A number may be written as %j.",
    (value) => {
      expect(readConfig({ PORT: value }).http.port).toBe(4001);
    },
  );

  test("The configuration cannot be changed after it was read, at any depth.", () => {
    const config = readConfig({ ALLOWED_ORIGINS: "https://shop.example" });
    const everything = (value: unknown): boolean =>
      typeof value !== "object" ||
      value === null ||
      (Object.isFrozen(value) && Object.values(value).every(everything));
    expect(everything(config)).toBe(true);
    expect(() => Object.assign(config.http, { port: 1 })).toThrow(TypeError);
  });

  test("An empty or blank variable counts as not set.", () => {
    expect(readConfig({ PORT: "", REDIS_URL: "  ", LOG_LEVEL: "" })).toEqual(readConfig({}));
  });

  test("Unknown variables are ignored.", () => {
    expect(readConfig({ PATH: "/bin", PORTS: "1" })).toEqual(readConfig({}));
  });

  test("Production turns off the explorer, development origins and unasked cache reports.", () => {
    const { http, cache, production } = readConfig({ NODE_ENV: "production" });
    expect({
      production,
      explorer: http.explorer,
      origins: http.origins,
      report: cache.report,
    }).toEqual({
      production: true,
      explorer: "off",
      origins: { listed: [], loopback: false },
      report: "request",
    });
  });

  test("Trusted proxies are addresses and ranges, and nothing else.", () => {
    expect(
      readConfig({ TRUSTED_PROXIES: "10.0.0.0/8, ::1,192.0.2.1" }).http.trustedProxies,
    ).toEqual(["10.0.0.0/8", "::1", "192.0.2.1"]);
    for (const bad of ["proxy.example", "10.0.0.0/99", "*", "1.2.3"])
      expect(refusal({ TRUSTED_PROXIES: bad })).toContain("TRUSTED_PROXIES");
  });

  test("A tag is kept longer than any entry that names it.", () => {
    const { cache } = readConfig({ CACHE_TTL_MS: "1000", CACHE_GRACE_MS: "2000" });
    expect(cache.tagTtlMs).toBeGreaterThan(3000);
  });

  test.each([
    "redis://h:1/2",
    "rediss://user:secret@h",
    "redis+cluster://a:1,b:2",
    "redis+sentinel://s:26379/shop",
    "unix:/run/redis.sock",
  ])("The configuration takes %s as the URL of a Redis.", (REDIS_URL) => {
    const { redis } = readConfig({ REDIS_URL });
    expect([redis.url, redis.cacheUrl]).toEqual([REDIS_URL, REDIS_URL]);
  });
});

describe("parts of the configuration", () => {
  const part = definePart({ GUESTS_MAX: count(10) }, (env) => ({ most: env.GUESTS_MAX }));

  test("A part gets its variables, and its settings cannot be changed.", () => {
    const settings = settingsOf(readWithParts({ GUESTS_MAX: "3" }, [part]), part);
    expect(settings).toEqual({ most: 3 });
    expect(settingsOf(readWithParts({}, [part]), part)).toEqual({ most: 10 });
    expect(() => Object.assign(settings, { most: 1 })).toThrow(TypeError);
  });

  test("A bad variable of a part is named beside all others.", () => {
    const message = refusal({ GUESTS_MAX: "many", PORT: "70000" }, [part]);
    expect(message).toContain('  GUESTS_MAX="many": is not a number');
    expect(message).toContain('  PORT="70000"');
  });

  test("Variables of a part that is not read are ignored.", () => {
    const config = readWithParts({ GUESTS_MAX: "many" }, []);
    expect(() => settingsOf(config, part)).toThrow("read without this part");
  });
});
