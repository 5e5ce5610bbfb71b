/**
 * The import law: who may import whom. Imports point one way: server → resolvers → services,
 * loaders → redis, db, with `domain` under everything. Each rule's comment says where the offending
 * line belongs. test/architecture.test.ts proves that every rule bites.
 */

/** A folder of src, as a pattern. */
const room = (...names) => `^src/(${names.join("|")})/`;
/** Where processes start, and what they share. */
const ENTRIES = "^src/(main|worker)\\.ts$|^src/(cli|app|config)/";
/** Files that something starts from: processes, commands, threads, and what scripts/ imports. */
const STARTS = [
  "^src/(main|worker)\\.ts$",
  "^src/cli/(fill|import|outbox|reconcile|seed)\\.ts$",
  // scripts/emit-env.mjs, scripts/emit-schema.mjs
  "^src/config/config\\.ts$",
  "^src/(app/subjects|schema/build-schema)\\.ts$",
  // drizzle.config.ts
  "^src/db/schema/",
  "-worker\\.ts$",
];
/** Packages, wherever npm puts them. */
const packages = (...names) => `(^|node_modules/)(${names.join("|")})(/|$)`;

const GRAPHQL = packages(
  "graphql",
  "graphql-[^/]+",
  "@graphql-[^/]+/[^/]+",
  "@graphql-yoga/[^/]+",
  "@escape\\.tech/[^/]+",
  "type-graphql",
  "@apollo/[^/]+",
);
const TRANSPORT = packages("fastify", "@fastify/[^/]+", "@as-integrations/[^/]+", "ws");
const SQL = packages("drizzle-orm", "drizzle-kit", "pg", "@electric-sql/[^/]+");

const forbid = (name, comment, from, to) => ({ name, comment, severity: "error", from, to });

module.exports = {
  forbidden: [
    forbid(
      "no-cycles",
      "Two files that need each other's values are one idea in two places: move what both " +
        "need into a third, lower file. (Types may point back.)",
      {},
      { circular: true, viaOnly: { dependencyTypesNot: ["type-only"] } },
    ),
    forbid(
      "no-orphans",
      "Nobody imports this file and it is no entry point: import it, or delete it.",
      { orphan: true, path: "^src/", pathNot: [ENTRIES, "\\.d\\.ts$", "^src/db/migrations/"] },
      {},
    ),
    forbid(
      "everything-is-reached",
      "No entry point reaches this file, however many others import it: use it, or delete it. " +
        "What only tests need stands in test/.",
      { path: STARTS },
      {
        path: "^src/",
        pathNot: [...STARTS, "\\.d\\.ts$", "^src/db/migrations/"],
        reachable: false,
      },
    ),
    forbid(
      "nobody-imports-an-entry-point",
      "main, worker and the commands in cli start things; nothing is imported from them. " +
        "What two of them share belongs in app/ or a room.",
      {},
      { path: "^src/(main|worker)\\.ts$" },
    ),
    forbid(
      "cli-is-an-entry-point",
      "Commands start things; nothing outside cli imports them. What they share with a " +
        "server belongs in a room.",
      { path: "^src/", pathNot: "^src/cli/" },
      { path: "^src/cli/" },
    ),
    forbid(
      "app-builds-everything-once",
      "Only entry points build the application. A room is given what it needs as arguments " +
        "of its factories.",
      { path: "^src/", pathNot: ENTRIES },
      { path: room("app") },
    ),
    forbid(
      "config-is-read-at-the-top",
      "Only entry points and server/ know the configuration; everybody else is given the " +
        "values it needs. Import its type, or take an option.",
      { path: "^src/", pathNot: [ENTRIES, room("server")] },
      { path: room("config") },
    ),
    forbid(
      "config-knows-only-domain",
      "config/ reads the environment and knows domain only.",
      { path: room("config") },
      { path: "^src/", pathNot: room("config", "domain") },
    ),
    forbid(
      "domain-imports-nothing",
      "domain/ holds words everybody may use: no room, no package. What needs one belongs in " +
        "a service, or on a floor (redis/, db/).",
      { path: room("domain") },
      { pathNot: room("domain"), dependencyTypesNot: ["core"] },
    ),
    forbid(
      "schema-knows-only-domain",
      "schema/ describes what clients see. A line that joins two types belongs in " +
        "resolvers/, one that decides in services/.",
      { path: room("schema") },
      { path: "^src/", pathNot: room("schema", "domain") },
    ),
    forbid(
      "schema-speaks-type-graphql",
      "schema/ uses the GraphQL packages alone. Scalars are made by graphql-scalars; " +
        "anything else belongs in resolvers/ or server/.",
      { path: room("schema") },
      { dependencyTypes: ["npm"], pathNot: packages("graphql", "graphql-scalars", "type-graphql") },
    ),
    forbid(
      "resolvers-translate",
      "resolvers/ turn arguments into calls of services and loaders, and records into types: " +
        "they never reach a floor or the transport. Put the query in loaders/ or services/.",
      { path: room("resolvers") },
      { path: "^src/", pathNot: room("resolvers", "schema", "services", "loaders", "domain") },
    ),
    forbid(
      "services-decide",
      "services/ know no transport, no schema and no resolver: take plain values, answer " +
        "plain values. A header, cookie or status belongs in server/.",
      { path: room("services") },
      { path: "^src/", pathNot: room("services", "loaders", "redis", "db", "domain") },
    ),
    forbid(
      "loaders-batch",
      "loaders/ turn N ids into one call of a floor. A decision belongs in services/.",
      { path: room("loaders") },
      { path: "^src/", pathNot: room("loaders", "redis", "db", "domain") },
    ),
    forbid(
      "jobs-are-thin",
      "jobs/ call services and floors; they know no transport, schema or resolver.",
      { path: room("jobs") },
      { path: "^src/", pathNot: room("jobs", "services", "loaders", "redis", "db", "domain") },
    ),
    forbid(
      "server-is-the-edge",
      "server/ hands requests to resolvers and the schema; it never reaches a floor. Put the " +
        "query in loaders/ or services/.",
      { path: room("server") },
      {
        path: "^src/",
        pathNot: room("server", "resolvers", "schema", "services", "telemetry", "config", "domain"),
      },
    ),
    forbid(
      "telemetry-knows-only-domain",
      "telemetry/ serves the API and the worker: it knows domain only. What it counts is " +
        "handed to it.",
      { path: room("telemetry") },
      { path: "^src/", pathNot: room("telemetry", "domain") },
    ),
    forbid(
      "keys-are-spelled-on-the-floor",
      "Only redis/ spells keys, channels and streams. Give the structure a method with a " +
        "name from the trade.",
      { path: room("services", "loaders", "jobs", "resolvers", "server", "schema") },
      { path: "^src/redis/client/keys(\\.ts$|/)", dependencyTypesNot: ["type-only"] },
    ),
    forbid(
      "redis-is-a-floor",
      "redis/ knows domain only: nobody above it, and not the database. What needs both " +
        "floors is a service.",
      { path: room("redis") },
      { path: "^src/", pathNot: room("redis", "domain") },
    ),
    forbid(
      "db-is-a-floor",
      "db/ knows domain only: nobody above it, and not Redis. What needs both floors is a service.",
      { path: room("db") },
      { path: "^src/", pathNot: room("db", "domain") },
    ),
    forbid(
      "structures-stand-alone",
      "A structure in redis/ imports redis/client, and redis/pubsub where it publishes, " +
        "nothing else: a use case that needs two structures is a service.",
      { path: "^src/redis/([^/]+)/", pathNot: "^src/redis/(client|pubsub)/" },
      { path: "^src/redis/", pathNot: "^src/redis/(client|pubsub|$1)/" },
    ),
    forbid(
      "client-knows-no-structure",
      "redis/client and redis/pubsub serve every structure, so they know none. Move the line " +
        "into the structure.",
      { path: "^src/redis/(client|pubsub)/" },
      { path: "^src/redis/", pathNot: "^src/redis/(client|$1)/" },
    ),
    forbid(
      "embedded-knows-only-domain",
      "embedded/ starts private servers and knows domain only; main.ts joins it to the rest.",
      { path: room("embedded") },
      { path: "^src/", pathNot: room("embedded", "domain") },
    ),
    forbid(
      "ioredis-in-redis",
      "Commands are spelled in redis/: give the structure a method.",
      { path: "^src/", pathNot: room("redis") },
      { path: packages("ioredis", "@ioredis/[^/]+", "bullmq", "graphql-redis-subscriptions") },
    ),
    forbid(
      "sql-in-db",
      "SQL is spelled in db/: give the table's file a query.",
      { path: "^src/", pathNot: room("db") },
      { path: SQL },
    ),
    forbid(
      "graphql-above-services",
      "services/, loaders/, jobs/ and the floors know no GraphQL: take and answer plain " +
        "values. (redis/pubsub/pubsub.ts may wrap graphql-redis-subscriptions.)",
      { path: room("services", "loaders", "jobs", "redis", "db", "embedded") },
      { path: GRAPHQL, pathNot: packages("graphql-redis-subscriptions") },
    ),
    forbid(
      "transport-in-server",
      "HTTP and WebSocket packages are used in server/ alone.",
      { path: "^src/", pathNot: room("server") },
      { path: TRANSPORT },
    ),
    forbid(
      "large-packages-wait",
      "The package takes tens of MiB and most processes never use it: import it where it is " +
        "used, with `await import`.",
      { path: "^src/" },
      {
        path: packages("@graphql-yoga/render-graphiql", "@electric-sql/pglite"),
        dynamic: false,
        dependencyTypesNot: ["type-only"],
      },
    ),
    forbid(
      "only-what-is-declared",
      "The package is not among the dependencies of package.json: what ships may not lean on " +
        "a development package or on somebody else's.",
      { path: "^src/" },
      {
        dependencyTypes: ["npm-dev", "npm-no-pkg", "npm-unknown", "npm-optional"],
        dependencyTypesNot: ["type-only"],
      },
    ),
    forbid(
      "everything-resolves",
      "There is no such file or package.",
      {},
      { couldNotResolve: true },
    ),
    forbid(
      "the-product-knows-no-tests",
      "src ships; test, bench and scripts do not.",
      { path: "^src/" },
      { path: "^(test|bench|scripts|examples)/" },
    ),
  ],
  options: {
    tsConfig: { fileName: "tsconfig.json" },
    tsPreCompilationDeps: true,
    doNotFollow: { path: "node_modules" },
    // Assets run in browsers.
    exclude: { path: "^dist/|/assets/" },
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["import", "node", "default", "types"],
      extensions: [".ts", ".js", ".mjs", ".cjs", ".json"],
    },
  },
};
