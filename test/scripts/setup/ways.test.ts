/** What would be done on which machine: the table of README.md, row by row. */
import { expect, test } from "vitest";
import {
  consentFor,
  type Machine,
  postgresWays,
  redisWays,
  VERSIONS,
  type Way,
} from "../../../scripts/setup/ways.mjs";
import { REDIS_IMAGE } from "../../../src/embedded/redis-container.js";

const BARE: Machine = {
  platform: "linux",
  arch: "x64",
  isRoot: false,
  isMusl: false,
  commands: [],
  engine: null,
  onTerminal: false,
  saysYes: false,
};
const TOOLS = ["make", "cc"];

const MACHINES = {
  mac: { ...BARE, platform: "darwin", arch: "arm64", commands: ["brew", ...TOOLS] },
  "mac with Docker": { ...BARE, platform: "darwin", arch: "arm64", engine: "docker" },
  "Debian as root": { ...BARE, isRoot: true, commands: ["apt-get", ...TOOLS], engine: "docker" },
  "Debian as a user": { ...BARE, commands: ["apt-get", ...TOOLS], engine: "podman" },
  "Fedora as root": { ...BARE, isRoot: true, commands: ["dnf"] },
  "Alpine as root": { ...BARE, isRoot: true, isMusl: true, commands: ["apk"] },
  "Linuxbrew as root": { ...BARE, isRoot: true, commands: ["brew"] },
  bare: BARE,
} satisfies Record<string, Machine>;
type Name = keyof typeof MACHINES;

/** Each way with what happens without a terminal. */
const plan = (ways: Way[], machine: Machine): string[] =>
  ways.map((way) => `${way.name}: ${consentFor(way, machine)}`);

test.each<[Name, string[], string[]]>([
  ["mac", ["brew: leave", "source: do"], ["brew: leave", "source: do"]],
  ["mac with Docker", ["container: leave"], []],
  ["Debian as root", ["apt: do", "container: leave", "source: do"], ["apt: do", "source: do"]],
  ["Debian as a user", ["container: leave", "source: do"], ["source: do"]],
  ["Fedora as root", ["dnf: leave"], ["dnf: leave"]],
  ["Alpine as root", ["apk: leave"], ["apk: leave"]],
  ["Linuxbrew as root", [], []],
  ["bare", [], []],
])("Redis on %s has these ways, for a start and for tests.", (name, start, tests) => {
  const machine = MACHINES[name];
  expect(plan(redisWays(machine, "start"), machine)).toEqual(start);
  expect(plan(redisWays(machine, "test"), machine)).toEqual(tests);
});

test.each<[Name, string[]]>([
  ["mac", ["prebuilt: do", "brew: leave"]],
  ["mac with Docker", ["prebuilt: do"]],
  ["Debian as root", ["apt: do", "prebuilt: do"]],
  ["Debian as a user", ["prebuilt: do"]],
  ["Fedora as root", ["prebuilt: do", "dnf: leave"]],
  ["Alpine as root", ["apk: leave"]],
  ["bare", ["prebuilt: do"]],
])("PostgreSQL on %s has these ways.", (name, expected) => {
  const machine = MACHINES[name];
  expect(plan(postgresWays(machine), machine)).toEqual(expected);
});

test("A person on a terminal is asked about every way, and the prebuilt one comes first.", () => {
  for (const machine of Object.values(MACHINES).map((one) => ({ ...one, onTerminal: true }))) {
    const ways = [...redisWays(machine, "start"), ...postgresWays(machine)];
    for (const way of ways) expect(consentFor(way, machine)).toBe("ask");
  }
  const debian = { ...MACHINES["Debian as root"], onTerminal: true };
  expect(postgresWays(debian).map(({ name }) => name)).toEqual(["prebuilt", "apt"]);
});

test("SETUP_YES=1 answers every question, on a terminal and without one.", () => {
  for (const onTerminal of [true, false])
    for (const machine of Object.values(MACHINES).map((one) => ({ ...one, onTerminal })))
      for (const way of [...redisWays(machine, "start"), ...postgresWays(machine)])
        expect(consentFor(way, { ...machine, saysYes: true })).toBe("do");
});

test("A platform without a prebuilt PostgreSQL is offered none.", () => {
  for (const machine of [
    { ...BARE, arch: "riscv64" },
    { ...BARE, isMusl: true },
  ])
    expect(postgresWays(machine)).toEqual([]);
});

test("The image that set-up fetches is the one that the server starts.", () => {
  expect(VERSIONS.image).toBe(REDIS_IMAGE);
});
