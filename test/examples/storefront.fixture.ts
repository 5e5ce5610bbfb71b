/**
 * The example storefront as people run it, beside a shop: its own compiler, build and servers, with
 * its own configuration. The page calls the shop through a proxy, which can be cut.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { freePort } from "../../scripts/free-port.mjs";
import { type RunningApp, startApp } from "../support/app.js";
import { createProxy, type FaultyProxy } from "../support/faults.js";
import { temporaryFolder } from "../support/files.js";
import { type Data, post } from "../support/graphql.js";
import { ROOT } from "../support/node-process.js";
import { startRedisServer } from "../support/redis.js";
import { until } from "../support/until.js";

const FOLDER = join(ROOT, "examples/storefront");

/** A shop and the storefront that was built for it. */
export interface Storefront {
  readonly app: RunningApp;
  /** Between the page and the shop. */
  readonly network: FaultyProxy;
  /** Between the shop and its Redis. */
  readonly redisNetwork: FaultyProxy;
  /** Address of the page; another origin than the shop. */
  readonly page: string;
  /** Starts the server of development; the address of its page. `close` ends it. */
  startDev(): Promise<string>;
  /** As the service: the named field of the answer, which has no errors. */
  asService(query: string, variables?: Record<string, unknown>): Promise<Data>;
  close(): Promise<void>;
}

/** Runs a program of the storefront's own packages to its end; resolves to what it printed. */
export async function runTool(path: string, args: readonly string[], env = {}): Promise<string> {
  const { child, output } = start(path, args, env);
  const [code] = await once(child, "close");
  if (code !== 0) throw new Error(`${path} ended with ${code}:\n${output()}`);
  return output();
}

function start(path: string, args: readonly string[], env: Record<string, string>) {
  const program = join(FOLDER, "node_modules", path);
  if (!existsSync(program))
    throw new Error("The storefront's packages are missing: `node scripts/setup.mjs test`.");
  // Vitest says NODE_ENV=test, which is neither of the two that React is built for.
  const { NODE_ENV: _, ...rest } = process.env;
  const child = spawn(process.execPath, [program, ...args], {
    cwd: FOLDER,
    env: { ...rest, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const printed: string[] = [];
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk: Buffer) => printed.push(chunk.toString()));
  return { child, output: () => printed.join("") };
}

/** Serves until `close`. */
async function serve(port: number, args: readonly string[], env: Record<string, string>) {
  const at = ["--host", "127.0.0.1", "--port", String(port), "--strictPort"];
  const { child, output } = start("vite/bin/vite.js", [...args, ...at], env);
  const url = `http://127.0.0.1:${port}/`;
  const closed = once(child, "close");
  const ended = closed.then(() => Promise.reject(new Error(`Vite has ended:\n${output()}`)));
  ended.catch(() => {});
  const answers = until("the server of the page", async () => (await fetch(url)).ok);
  answers.catch(() => {});
  await Promise.race([answers, ended]).catch((error) => {
    child.kill();
    throw error;
  });
  return {
    url,
    async close() {
      child.kill();
      await closed;
    },
  };
}

/** Starts a shop, builds the storefront for it, and serves that. */
export async function startStorefront(): Promise<Storefront> {
  const [pagePort, devPort] = [await freePort(), await freePort()];
  const redis = await startRedisServer();
  const redisNetwork = await createProxy({ target: { host: "127.0.0.1", port: redis.port } });
  const app = await startApp({
    products: 30,
    redisUrl: `redis://${redisNetwork.host}:${redisNetwork.port}`,
    env: {
      CONFLATION_MS: "1",
    },
  });
  const target = { host: "127.0.0.1", port: Number(new URL(app.url).port) };
  const network = await createProxy({ target });
  const env = { VITE_API: `http://${network.host}:${network.port}/graphql` };
  const out = await temporaryFolder("storefront");
  await runTool("vite/bin/vite.js", ["build", "--outDir", out.path, "--emptyOutDir"], env);
  const built = await serve(pagePort, ["preview", "--outDir", out.path], env);
  const servers = [built];
  return {
    app,
    network,
    redisNetwork,
    page: built.url,
    async startDev() {
      const source = await serve(devPort, [], env);
      servers.push(source);
      return source.url;
    },
    async asService(query, variables = {}) {
      const { data, errors } = await post(app.url, query, variables, { token: app.adminToken });
      const [answer] = Object.values((data ?? {}) as Record<string, Data>);
      if (!answer || (answer.errors?.length ?? 0) > 0)
        throw new Error(JSON.stringify(errors ?? answer?.errors));
      return answer;
    },
    async close() {
      await Promise.all(servers.map((server) => server.close()));
      await out.remove();
      await app.close();
      await Promise.all([network.close(), redisNetwork.close()]);
      await redis.stop();
    },
  };
}
