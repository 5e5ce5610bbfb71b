/**
 * The texts of docs/keys.md and docs/redis-acl.md, from the key specs of src/redis/client/keys/ and
 * the Lua scripts of src/redis. emit-keys.mjs writes them; a test compares them with the files.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOM = new URL("../src/redis/", import.meta.url);
const WIDTH = 100;
/** Rights of every process, whatever it keeps in Redis. */
const CONNECTION = ["ping", "info", "time", "eval", "evalsha"];

const KEYS_HEAD = `# Keys and channels

\`npm run codegen\` writes this page from \`src/redis/client/keys/\`, where each family of keys has its
only description. A test fails when the page differs from them, or when Souk leaves another key.

Keys have the shape \`NAMESPACE<thing>:{<id>}\`. The braces are the Cluster hash tag, so that a value
and its lease share a slot and one script may touch both. \`v1\` changes when the shape of any value
does. Each \`<…>\` stands for one argument of the method that builds the key.

Families with "yes" in the last column cost time alone when Redis evicts them. The others need
\`noeviction\`. \`CACHE_REDIS_URL\` names a Redis for the cache alone, which may evict.
`;

const ACL_HEAD = `# The Redis user

\`npm run codegen\` writes this page from the key specs in \`src/redis/client/keys/\` and the Lua
scripts in \`src/redis/\`.

Souk needs no administrator's rights. This is everything its user may do;
\`test/redis/cache/tls.test.ts\` runs the whole contract of the cache, sessions and leaderboards, over
TLS as a user with exactly these rules, and fails when Redis had to refuse something.
`;

const ACL_FOOT = `
Redis reports changed tags in \`__redis__:invalidate\`, for the cache level inside each process.
Without that channel, \`client|tracking\` and \`client|id\`, the level stays off and reads go to Redis.

In a Cluster the client also asks for the topology: add \`+cluster|slots +cluster|info\`.

To make the user, on one line, with a password of your own:

\`\`\`
ACL SETUSER souk on >PASSWORD <the rules above>
\`\`\`

Then point Souk at it: \`REDIS_URL=rediss://souk:PASSWORD@redis.example:6379\`, and \`REDIS_CA_FILE\`
where the certificate is signed by a CA that the system does not know. A \`%\`, \`@\`, \`:\` or \`/\` in the
password is percent-encoded.
`;

/** docs/keys.md. */
export function keysPage(subjects, namespace) {
  const sections = subjects.map((subject) => sectionOf(subject, namespace));
  return [KEYS_HEAD.replace("NAMESPACE", namespace), ...sections].join("\n");
}

function sectionOf({ title, owner, families }, namespace) {
  const entries = Object.entries(families).map(([family, spec]) => [family, { owner, ...spec }]);
  const rows = entries.map(([family, spec]) => rowOf(family, spec, namespace));
  const bullets = entries.flatMap(([family, spec]) => bulletOf(family, spec));
  const table = [
    "| family | key or channel | type | TTL | owner | bound | evicted |",
    "|---|---|---|---|---|---|---|",
    ...rows,
    "",
  ];
  return [`## ${title}\n`, ...table, ...(bullets.length > 0 ? [...bullets, ""] : [])].join("\n");
}

function rowOf(family, { key, type, ttl, owner, bound, evictable }, namespace) {
  const evicted = type === "channel" ? "-" : evictable ? "yes" : "no";
  const cells = [family, `\`${namespace}${key}\``, type, ttl, owner, bound, evicted];
  return `| ${cells.join(" | ")} |`;
}

function bulletOf(family, { value, deleted }) {
  if (!value && !deleted) return [];
  const parts = [value, deleted && `*When deleted:* ${deleted}`].filter(Boolean);
  return [wrap(`- **${family}** ${parts.join(" ")}`, "  ")];
}

/** docs/redis-acl.md. */
export function aclPage(subjects, namespace) {
  const rights = [
    ["what every process needs, and leases", rightsOf({ folder: "client", commands: CONNECTION })],
    ...subjects.map((subject) => [nameOf(subject), rightsOf(subject)]),
  ];
  const commands = sorted(rights.flatMap(([, names]) => names));
  const rules = [
    "resetkeys resetchannels -@all",
    `~${namespace}*`,
    `&${namespace}* &__redis__:invalidate`,
    wrap(commands.map((name) => `+${name}`).join(" "), ""),
  ];
  const rows = [
    [`\`~${namespace}*\``, "every key of [keys.md](keys.md)"],
    [`\`&${namespace}*\``, "every channel of [keys.md](keys.md)"],
    ...rights.map(([name, names]) => [names.map(codeOf).join(" "), name]),
  ];
  return [
    ACL_HEAD,
    "```acl",
    ...rules,
    "```\n",
    "| rule | what for |",
    "|---|---|",
    ...rows.map(([rule, reason]) => `| ${rule} | ${reason} |`),
    ACL_FOOT,
  ].join("\n");
}

/** What a subject calls: from TypeScript, as its spec says, and in its scripts. */
function rightsOf({ folder, commands }) {
  const path = fileURLToPath(new URL(folder, ROOM));
  const lua = readdirSync(path)
    .filter((name) => name.endsWith(".lua"))
    .map((name) => readFileSync(join(path, name), "utf8"));
  const called = [...lua.join("\n").matchAll(/\bredis\.p?call\(\s*["'](\w+)/g)];
  return sorted([...commands, ...called.map(([, name]) => name.toLowerCase())]);
}

const sorted = (names) => [...new Set(names)].sort();
const codeOf = (name) => `\`${name.replace("|", "\\|")}\``;
const nameOf = ({ title }) => title[0].toLowerCase() + title.slice(1);

/** Breaks a text between words, never inside a span of code. */
function wrap(text, indent) {
  const words = text.match(/(?:`[^`]*`|[^\s`])+/g) ?? [];
  const lines = [""];
  for (const word of words) {
    const line = lines.at(-1);
    if (line === "") lines[lines.length - 1] = word;
    else if (line.length + word.length < WIDTH) lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(indent + word);
  }
  return lines.join("\n");
}
