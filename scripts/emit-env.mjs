#!/usr/bin/env node
/**
 * Writes `.env.example` from the configuration: every variable with its meaning and default. Run by
 * `npm run codegen`.
 */
import "reflect-metadata";
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { configPartsOf, SUBJECTS } from "../dist/app/subjects.js";
import { variableGroups } from "../dist/config/config.js";

const HEAD =
  "# Every variable that Souk reads, with its default. Copy to .env and change what you need; " +
  "empty means the default.\n" +
  "# With nothing set, npm start brings its own redis-server and database and keeps their data " +
  "in .data.\n";

/** One variable: what it means, its name, its default. */
const linesOf = ([name, field]) =>
  `# ${field.description}\n${name}=${field.safeParse(undefined).data ?? ""}\n`;
const groups = variableGroups(configPartsOf(SUBJECTS)).map((variables) =>
  Object.entries(variables).map(linesOf).join(""),
);

writeFileSync(
  fileURLToPath(new URL("../.env.example", import.meta.url)),
  [HEAD, ...groups].join("\n"),
);
