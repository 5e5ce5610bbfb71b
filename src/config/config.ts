/**
 * The configuration, read from the environment. The schema
 * holds each variable with its default and meaning: those of
 * every process here, those of subjects in the parts that they
 * bring. Parsing answers a frozen, nested {@link Config}, or
 * one StartupError that lists every bad variable. Names of
 * durations and sizes carry their unit. A test compares
 * `.env.example` with the schema.
 */
import { z } from "zod";
import { CURRENCY_CODES } from "../domain/catalogue/money.js";
import { StartupError } from "../domain/errors.js";
import { own } from "../domain/own.js";
import { cacheVariables, toCache } from "./cache.js";
import { documentVariables, toDocuments } from "./documents.js";
import { httpVariables, toHttp } from "./http.js";
import { limitVariables, toLimits } from "./limits.js";
import { liveVariables, toLive } from "./live.js";
import type { ConfigPart, Variables } from "./part.js";
import { rateVariables, refuseSmallBuckets, toRateLimits } from "./rate-limit.js";
import { storageVariables, toDatabase, toRedis } from "./storage.js";
import type { AllOf, Parsed } from "./values.js";
import { toOutbox, toWorker, workerVariables } from "./worker.js";

const generalVariables = {
  NODE_ENV: z
    .enum(["development", "production", "test"])
    .default("development")
    .describe("production turns the explorer and development origins off"),
  LOG_LEVEL: z
    .enum(["fatal", "error", "warn", "info", "debug", "trace", "silent"])
    .default("info")
    .describe("lowest level that is logged"),
  LOG_FORMAT: z
    .enum(["pretty", "json"])
    .optional()
    .describe("form of a line of the log; default pretty on a terminal, json elsewhere"),
  ADMIN_TOKEN: z
    .string()
    .min(16, "is shorter than 16 characters")
    .optional()
    .describe(
      "service token for admin operations; without it they are off (the embedded default " +
        "makes one)",
    ),
  SHOP_CURRENCY: z
    .enum(CURRENCY_CODES)
    .default("EUR")
    .describe("the one currency the shop sells in"),
};

/** Variables of every process. */
const GROUPS = [
  generalVariables,
  httpVariables,
  storageVariables,
  documentVariables,
  cacheVariables,
  limitVariables,
  rateVariables,
  liveVariables,
  workerVariables,
] as const;

type Environment = Parsed<AllOf<(typeof GROUPS)[number]>>;

/** Every variable in groups, in the order of `.env.example`. */
export const variableGroups = (parts: readonly ConfigPart[]): readonly Variables[] => [
  ...GROUPS,
  ...parts.map(({ variables }) => variables),
];

/** Every variable by its name. */
export const variablesOf = (parts: readonly ConfigPart[]): Variables =>
  Object.assign({}, ...variableGroups(parts));

/** Everything configurable. */
export type Config = ReturnType<typeof toConfig> & {
  /** Those of subjects; read them with {@link settingsOf}. */
  readonly parts: ReadonlyMap<ConfigPart, object>;
};

/** The settings of a part that the configuration was read with. */
export function settingsOf<Settings extends object>(
  { parts }: Pick<Config, "parts">,
  part: ConfigPart<Settings>,
): Settings {
  const settings = parts.get(part);
  if (!settings) throw new Error("The configuration was read without this part.");
  // The map holds under a part what that part made.
  return settings as Settings;
}

/**
 * Reads the environment into a frozen Config.
 * @param parts what subjects bring, or what a command needs
 * @throws StartupError with every bad variable, its value
 * unless secret, and what it should be
 */
export function readConfig(
  env: Readonly<Record<string, string | undefined>>,
  parts: readonly ConfigPart[],
): Config {
  const present = Object.fromEntries(
    Object.entries(env).filter(([, value]) => value !== undefined && value.trim() !== ""),
  );
  const parsed = schemaOf(parts).safeParse(present);
  if (parsed.success) {
    const settings = parts.map((part) => [part, freezeDeep(part.settings(parsed.data))] as const);
    return freezeDeep({ ...toConfig(parsed.data), parts: new Map(settings) });
  }
  const lines = parsed.error.issues.map(
    ({ path, message }) =>
      `  ${String(path[0])}${shownValue(String(path[0]), present)}: ${message}`,
  );
  throw new StartupError(
    `The configuration is not valid:\n${[...new Set(lines)].join("\n")}\nEvery variable and ` +
      "its default is in .env.example.",
  );
}

const schemaOf = (parts: readonly ConfigPart[]) =>
  // Typed by the variables of every process; those of parts
  // are typed where their part reads them.
  z.object(variablesOf(parts) as AllOf<(typeof GROUPS)[number]>).superRefine(refuseSmallBuckets);

/** Values that may hold a password are never printed. */
const shownValue = (name: string, env: Record<string, unknown>): string =>
  own(env, name) === undefined || /URL|TOKEN|ORIGINS/.test(name)
    ? ""
    : `=${JSON.stringify(own(env, name))}`;

function toConfig(env: Environment) {
  const production = env.NODE_ENV === "production";
  return {
    production,
    logLevel: env.LOG_LEVEL,
    logFormat: env.LOG_FORMAT,
    http: toHttp(env, { production, closed: production || env.PERSISTED_DOCUMENTS === "only" }),
    limits: { ...toLimits(env), ...toRateLimits(env) },
    redis: toRedis(env),
    database: toDatabase(env),
    dataDir: env.DATA_DIR,
    adminToken: env.ADMIN_TOKEN,
    currency: env.SHOP_CURRENCY,
    documents: toDocuments(env),
    cache: toCache(env, { production }),
    live: toLive(env),
    outbox: toOutbox(env),
    worker: toWorker(env),
  };
}

function freezeDeep<T extends object>(value: T): T {
  for (const part of Object.values(value))
    if (typeof part === "object" && part !== null) freezeDeep(part);
  return Object.freeze(value);
}
