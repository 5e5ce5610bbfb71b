#!/usr/bin/env node
/**
 * Writes src/schema/schema.graphql, the SDL of the built resolver classes. Starts nothing; run
 * after a build, by `npm run codegen`.
 */
import "reflect-metadata";
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { resolverClassesOf, SUBJECTS } from "../dist/app/subjects.js";
import { printSoukSchema } from "../dist/schema/build-schema.js";

const target = fileURLToPath(new URL("../src/schema/schema.graphql", import.meta.url));
writeFileSync(target, printSoukSchema(resolverClassesOf(SUBJECTS)));
console.log(`Wrote ${target}`);
