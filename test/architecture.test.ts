/** The import law: it holds, and each of its rules bites. */
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { cp, mkdir, symlink, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join, relative } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { temporaryFolder } from "./support/files.js";
import { ROOT } from "./support/node-process.js";

interface Verdict {
  readonly modules: readonly {
    readonly source: string;
    readonly dependencies: readonly { readonly resolved: string }[];
  }[];
  readonly summary: {
    readonly violations: readonly {
      readonly from: string;
      readonly to: string;
      readonly rule: { readonly name: string };
    }[];
  };
}

interface Law {
  readonly forbidden: readonly { readonly name: string; readonly comment: string }[];
}

const law = createRequire(import.meta.url)("../.dependency-cruiser.cjs") as Law;

/** Judges the `src` below a folder. */
const judge = (cwd: string): Verdict["summary"]["violations"] => cruise(cwd).summary.violations;

function cruise(cwd: string): Verdict {
  const command = join(ROOT, "node_modules/dependency-cruiser/bin/dependency-cruise.mjs");
  const args = [
    command,
    "src",
    "--config",
    join(ROOT, ".dependency-cruiser.cjs"),
    "--output-type",
    "json",
  ];
  const { stdout, stderr } = spawnSync(process.execPath, args, {
    cwd,
    encoding: "utf8",
    maxBuffer: 256 * 1024 * 1024,
  });
  if (!stdout) throw new Error(stderr);
  return JSON.parse(stdout) as Verdict;
}

/**
 * What a file of the fixture imports; every one named here or imported exists and exports one
 * value.
 */
type House = Readonly<Record<string, readonly string[]>>;

const OFFENCES: Readonly<Record<string, House>> = {
  "no-cycles": { "services/egg.ts": ["./hen.js"], "services/hen.ts": ["./egg.js"] },
  "no-orphans": { "services/alone.ts": [] },
  "everything-is-reached": { "services/unused.ts": ["../domain/ids.js"] },
  "nobody-imports-an-entry-point": { "server/start.ts": ["../main.js"] },
  "cli-is-an-entry-point": { "services/seeding.ts": ["../cli/seed.js"] },
  "app-builds-everything-once": { "server/all.ts": ["../app/ground.js"] },
  "config-is-read-at-the-top": { "services/settings.ts": ["../config/config.js"] },
  "config-knows-only-domain": { "config/clever.ts": ["../services/fruit/grow.js"] },
  "domain-imports-nothing": { "domain/clever.ts": ["zod"] },
  "schema-knows-only-domain": { "schema/pear.ts": ["../loaders/pears.js"] },
  "schema-speaks-type-graphql": { "schema/scalar.ts": ["zod"] },
  "resolvers-translate": { "resolvers/pear.ts": ["../redis/fruit/fruit.js"] },
  "services-decide": { "services/fruit/eat.ts": ["../../schema/apple.js"] },
  "loaders-batch": { "loaders/apples.ts": ["../services/fruit/grow.js"] },
  "jobs-are-thin": { "jobs/mail.ts": ["../resolvers/apple.js"] },
  "server-is-the-edge": { "server/http/look.ts": ["../../db/fruit/pears.js"] },
  "telemetry-knows-only-domain": { "telemetry/count.ts": ["../services/fruit/grow.js"] },
  "keys-are-spelled-on-the-floor": {
    "services/spelling.ts": ["../redis/client/keys.js"],
    "loaders/spelling.ts": ["../redis/client/keys/apple.js"],
  },
  "redis-is-a-floor": { "redis/client/connect.ts": ["../../db/fruit/pears.js"] },
  "db-is-a-floor": { "db/fruit/apples.ts": ["../../redis/fruit/fruit.js"] },
  "structures-stand-alone": { "redis/basket/basket.ts": ["../fruit/fruit.js"] },
  "client-knows-no-structure": {
    "redis/client/call.ts": ["../basket/basket.js"],
    "redis/pubsub/send.ts": ["../basket/basket.js"],
  },
  "embedded-knows-only-domain": { "embedded/server.ts": ["../redis/client/connect.js"] },
  "ioredis-in-redis": { "services/shortcut.ts": ["ioredis"] },
  "sql-in-db": { "loaders/shortcut.ts": ["drizzle-orm"] },
  "graphql-above-services": { "services/graph.ts": ["graphql"] },
  "transport-in-server": { "resolvers/header.ts": ["fastify"] },
  "large-packages-wait": { "server/page.ts": ["@graphql-yoga/render-graphiql"] },
  "only-what-is-declared": { "services/guess.ts": ["fast-check"] },
  "everything-resolves": { "services/typo.ts": ["no-such-package"] },
  "the-product-knows-no-tests": { "db/data.ts": ["../../test/sample.js"] },
};

/** What the law allows and a careless pattern would forbid. */
const INNOCENT: House = {
  "main.ts": ["./app/all.js", "./config/config.js", "./embedded/data.js"],
  "app/ground.ts": [
    "../config/config.js",
    "../server/http/open.js",
    "../redis/client/connect.js",
    "../redis/fruit/open.js",
    "../db/fruit/pears.js",
  ],
  "app/all.ts": ["./ground.js", "../config/config.js"],
  "config/config.ts": ["zod", "./part.js", "../domain/ids.js"],
  "cli/seed.ts": ["../app/all.js", "../services/fruit/grow.js"],
  "server/http/open.ts": [
    "fastify",
    "../../config/config.js",
    "../../resolvers/apple.js",
    "../../schema/apple.js",
    "../operation/run.js",
    "../../telemetry/log.js",
  ],
  "resolvers/apple.ts": [
    "../services/fruit/grow.js",
    "../loaders/pears.js",
    "../schema/apple.js",
    "type-graphql",
  ],
  "schema/apple.ts": ["type-graphql", "graphql-scalars", "../domain/ids.js"],
  "services/fruit/grow.ts": [
    "../../redis/fruit/fruit.js",
    "../../db/fruit/pears.js",
    "../../loaders/pears.js",
  ],
  "loaders/pears.ts": ["dataloader", "../redis/fruit/fruit.js", "../db/fruit/pears.js"],
  "redis/fruit/open.ts": ["./fruit.js", "./peel.js", "../client/connect.js", "../pubsub/send.js"],
  "redis/fruit/fruit.ts": ["ioredis", "../client/keys.js", "../../domain/ids.js"],
  "redis/pubsub/send.ts": ["../client/connect.js"],
  "db/fruit/pears.ts": ["drizzle-orm", "pg", "../../domain/ids.js"],
  "embedded/data.ts": ["../domain/ids.js"],
  "domain/ids.ts": ["node:crypto"],
};

async function build(...houses: House[]): Promise<string> {
  const { path, remove } = await temporaryFolder("law");
  onTestFinished(remove);
  const imports = new Map<string, readonly string[]>();
  const add = (file: string, targets: readonly string[]) =>
    imports.set(file, [...(imports.get(file) ?? []), ...targets]);
  for (const house of houses) {
    for (const [name, targets] of Object.entries(house)) {
      add(join("src", name), targets);
      for (const target of targets.filter((one) => one.startsWith(".")))
        add(join("src", dirname(name), target.replace(/\.js$/, ".ts")), []);
    }
  }
  for (const [file, targets] of imports) await write(join(path, file), targets);
  await symlink(join(ROOT, "node_modules"), join(path, "node_modules"));
  await writeFile(
    join(path, "tsconfig.json"),
    '{ "compilerOptions": { "module": "NodeNext", "moduleResolution": "NodeNext" } }',
  );
  await cp(join(ROOT, "package.json"), join(path, "package.json"));
  return path;
}

async function write(file: string, targets: readonly string[]): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  const lines = targets.map((target, index) => `import * as v${index} from "${target}";\n`);
  await writeFile(
    file,
    `${lines.join("")}export const value = [${targets.map((_, index) => `v${index}`)}];\n`,
  );
}

test("The source keeps the import law.", () => {
  expect(judge(ROOT).map(({ rule, from, to }) => `${rule.name}: ${from} → ${to}`)).toEqual([]);
});

test("Every rule of the import law refuses an offence against it.", async () => {
  const house = await build(INNOCENT, ...Object.values(OFFENCES));
  const violations = judge(house);
  const caught = Object.entries(OFFENCES).map(([rule, files]) => {
    const offenders = Object.keys(files).map((file) => `src/${file}`);
    return [
      rule,
      violations.some(
        (violation) => violation.rule.name === rule && offenders.includes(violation.from),
      ),
    ];
  });
  expect(caught.filter(([, bitten]) => !bitten)).toEqual([]);
  expect(Object.keys(OFFENCES).sort()).toEqual(law.forbidden.map(({ name }) => name).sort());
});

test("A tree that keeps the law has no offence.", async () => {
  expect(
    judge(await build(INNOCENT)).map(({ rule, from, to }) => `${rule.name}: ${from} → ${to}`),
  ).toEqual([]);
});

test("Every rule names the place of an offending line.", () => {
  for (const { comment } of law.forbidden) expect(comment.length).toBeGreaterThan(20);
});

/**
 * Imports from one subject's folder to another's, by room. A new arrow is a decision: it is added
 * here, or turned round.
 */
const ARROWS: Readonly<Record<string, readonly string[]>> = {
  redis: [
    ...[
      "activity",
      "attempts",
      "cache",
      "cart",
      "counters",
      "documents",
      "event-log",
      "leaderboard",
      "pubsub",
    ],
    ...["rate-limiter", "session"],
  ].map((structure) => `${structure} → client`),
  services: [
    "account → outbox",
    "catalogue → leaderboard",
    "catalogue → outbox",
    "counters → outbox",
    "leaderboard → outbox",
    "notification → live",
    "notification → outbox",
    "rate-limit → account",
  ],
  server: [
    "answers → cost",
    "answers → operation",
    "connection → operation",
    "explorer → http",
    "fan-out → connection",
    "fan-out → cost",
    "fan-out → operation",
    "http → answers",
    "http → cost",
    "http → operation",
    "operation → cost",
    "websocket → answers",
    "websocket → connection",
    "websocket → cost",
    "websocket → fan-out",
    "websocket → http",
    "websocket → operation",
  ],
};

test("Subjects of one room import each other along these arrows alone.", () => {
  const { modules } = cruise(ROOT);
  const found: Record<string, Set<string>> = {
    redis: new Set(),
    services: new Set(),
    server: new Set(),
  };
  for (const { source, dependencies } of modules) {
    for (const { resolved } of dependencies) {
      const [[, room = "", from], [, otherRoom, to]] = [subjectOf(source), subjectOf(resolved)];
      if (room === otherRoom && from && to && from !== to) found[room]?.add(`${from} → ${to}`);
    }
  }
  for (const [room, arrows] of Object.entries(ARROWS))
    expect([room, [...(found[room] ?? [])].sort()]).toEqual([room, [...arrows].sort()]);
});

/** The room and the subject of a file; no subject where it stands in the room itself. */
const subjectOf = (file: string): readonly (string | undefined)[] =>
  /^src\/([^/]+)\/(?:([^/]+)\/)?/.exec(file) ?? [];

const MAX_ENTRIES = 25;
const MIN_ENTRIES = 3;
/** Folders of generated files, which are named by number. */
const NUMBERED = /^src\/db\/migrations\b/;

test("Every folder of src has three files or more, not too many, and is no catch-all.", () => {
  const folders = readdirSync(join(ROOT, "src"), { recursive: true, withFileTypes: true }).filter(
    (entry) => entry.isDirectory(),
  );
  const paths = folders
    .map(({ parentPath, name }) => relative(ROOT, join(parentPath, name)))
    .filter((path) => !NUMBERED.test(path));
  const sizes = ["src", ...paths].map(
    (path) => [path, readdirSync(join(ROOT, path)).length] as const,
  );
  expect(sizes.filter(([, size]) => size > MAX_ENTRIES)).toEqual([]);
  const isRoom = (path: string) => path.split("/").length <= 2;
  expect(sizes.filter(([path, size]) => size < MIN_ENTRIES && !isRoom(path))).toEqual([]);
  expect(
    paths.filter((path) => /(^|\/)(utils?|common|core|helpers?|lib|misc)$/.test(path)),
  ).toEqual([]);
});

/** Where the wall clock of a process is allowed: it stamps log lines. */
const WALL_CLOCK = ["telemetry/log.ts"];

test("Instants are judged and shown by the clock of Redis or PostgreSQL alone.", () => {
  const files = readdirSync(join(ROOT, "src"), { recursive: true, encoding: "utf8" }).filter(
    (file) => file.endsWith(".ts"),
  );
  const offenders = files.filter((file) =>
    /\bDate\.now\(|\bnew Date\(\)/.test(readFileSync(join(ROOT, "src", file), "utf8")),
  );
  expect(offenders.filter((file) => !WALL_CLOCK.includes(file))).toEqual([]);
});
