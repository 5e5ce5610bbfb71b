/** `npm run dev`: scripts/dev.mjs in a small repository of its own. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { temporaryFolder } from "../support/files.js";
import { ROOT } from "../support/node-process.js";
import { until } from "../support/until.js";

/** A server that says which version it is, and how it ends. */
const server = (version: string) =>
  `setInterval(() => {}, 1000);
   process.on("SIGTERM", () => { console.log("end of ${version}"); process.exit(0); });
   console.log("version ${version}");\n`;

test("A change starts the server again, an error does not, and SIGTERM ends both.", async () => {
  const { path: root, remove } = await temporaryFolder("dev");
  onTestFinished(remove);
  for (const name of ["scripts", "tsconfig.json", "package.json"])
    await cp(join(ROOT, name), join(root, name), { recursive: true });
  await symlink(join(ROOT, "node_modules"), join(root, "node_modules"));
  await mkdir(join(root, "src"));
  const main = join(root, "src/main.ts");
  await writeFile(main, server("one"));

  const child = spawn(process.execPath, ["scripts/dev.mjs"], { cwd: root, stdio: "pipe" });
  onTestFinished(() => void child.kill("SIGKILL"));
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk: Buffer) => {
      output += chunk.toString();
    });
  const said = (text: string) => until(text, () => output.includes(text));

  await said("version one");
  await writeFile(main, `${server("two")} const wrong: number = "of types";`);
  await said("version two");
  await said("TS2322");
  await writeFile(main, "const broken = ;\n");
  await said('Unexpected ";"');
  expect(output).not.toContain("end of two");
  await writeFile(main, server("three"));
  await said("version three");
  expect(output.indexOf("end of two")).toBeGreaterThan(output.indexOf('Unexpected ";"'));

  const ended = once(child, "exit");
  child.kill("SIGTERM");
  expect(await ended).toEqual([0, null]);
  expect(output).toContain("end of three");
});
