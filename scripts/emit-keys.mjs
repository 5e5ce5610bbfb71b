#!/usr/bin/env node
/** Writes docs/keys.md and docs/redis-acl.md. Run after a build, by `npm run codegen`. */
import { writeFileSync } from "node:fs";
import { NAMESPACE } from "../dist/redis/client/keys/spec.js";
import { KEY_SUBJECTS } from "../dist/redis/client/keys.js";
import { aclPage, keysPage } from "./redis-pages.mjs";

const write = (name, text) => writeFileSync(new URL(`../docs/${name}`, import.meta.url), text);
write("keys.md", keysPage(KEY_SUBJECTS, NAMESPACE));
write("redis-acl.md", aclPage(KEY_SUBJECTS, NAMESPACE));
