/**
 * Private redis-servers of tests: on loopback, on a free port, without persistence unless asked,
 * gone when the run ends.
 */
import { connect } from "node:net";
import { type ConnectionOptions, connect as connectTls } from "node:tls";
import { findRedis } from "../../scripts/find.mjs";
import { freePort } from "../../scripts/free-port.mjs";
import { startGuarded } from "../../src/embedded/guarded-child.js";
import { temporaryFolder } from "./files.js";
import { upUnlessEnded } from "./until.js";

/** What a private server may differ in. */
export interface RedisServerOptions {
  /**
   * More of the command line, one word each, e.g. `["--appendonly", "yes", "--user", "default",
   * "off"]`; wins over the defaults.
   */
  readonly args?: readonly string[];
  /** Where it keeps its files; default a temporary folder that goes with it. */
  readonly dir?: string;
  readonly port?: number;
  /** Serve TLS alone, with these PEM files. Clients need no certificate. */
  readonly tls?: { readonly certFile: string; readonly keyFile: string; readonly caFile: string };
}

/** A running private server. */
export interface RedisServer {
  readonly url: string;
  readonly port: number;
  /** Changes with `restart`. */
  readonly pid: number;
  readonly dir: string;
  /** Stops it in good order and removes its folder if it was a temporary one. */
  stop(): Promise<void>;
  /**
   * Sends the process a signal, SIGKILL by default; resolves when it has ended, or at once for
   * SIGSTOP and SIGCONT.
   */
  kill(signal?: NodeJS.Signals): Promise<void>;
  /** Starts it again on the same port and folder, after `kill` or instead of the running one. */
  restart(): Promise<void>;
}

const DEFAULTS = [
  "--bind",
  "127.0.0.1",
  "--save",
  "",
  "--appendonly",
  "no",
  "--daemonize",
  "no",
  "--loglevel",
  "warning",
];

/** Starts a redis-server and waits until it answers. */
export async function startRedisServer(options: RedisServerOptions = {}): Promise<RedisServer> {
  const folder = options.dir === undefined ? await temporaryFolder("redis") : null;
  const dir = options.dir ?? folder?.path ?? ".";
  const port = options.port ?? (await freePort());
  const start = () => startProcess({ ...options, dir, port });
  let child = await start();
  return {
    url: `${options.tls ? "rediss" : "redis"}://127.0.0.1:${port}`,
    port,
    get pid() {
      return child.pid;
    },
    dir,
    async stop() {
      await child.stop();
      await folder?.remove();
    },
    async kill(signal = "SIGKILL") {
      process.kill(child.pid, signal);
      if (signal !== "SIGSTOP" && signal !== "SIGCONT") await child.exited;
    },
    async restart() {
      await child.stop();
      child = await start();
    },
  };
}

type Placed = RedisServerOptions & { readonly dir: string; readonly port: number };

async function startProcess(options: Placed) {
  const args = [...portArgs(options), "--dir", options.dir, ...DEFAULTS, ...(options.args ?? [])];
  const child = await startGuarded({
    command: findRedis() ?? "redis-server",
    args,
    stopSignal: "TERM",
  });
  await upUnlessEnded(`redis-server on port ${options.port}`, child, () => answers(options));
  return child;
}

function portArgs({ port, tls }: Placed): string[] {
  if (!tls) return ["--port", `${port}`];
  const files = [
    "--tls-cert-file",
    tls.certFile,
    "--tls-key-file",
    tls.keyFile,
    "--tls-ca-cert-file",
    tls.caFile,
  ];
  return ["--port", "0", "--tls-port", `${port}`, ...files, "--tls-auth-clients", "no"];
}

/** Any reply but "loading" means that it serves: NOAUTH too. */
function answers({ port, tls }: Placed): Promise<boolean> {
  const to: ConnectionOptions = { host: "127.0.0.1", port, rejectUnauthorized: false };
  return new Promise((resolve) => {
    const socket = tls ? connectTls(to) : connect({ host: "127.0.0.1", port });
    const settle = (up: boolean) => {
      socket.destroy();
      resolve(up);
    };
    socket.once("error", () => settle(false)).once("close", () => settle(false));
    socket.once("data", (reply: Buffer) => settle(!reply.toString().startsWith("-LOADING")));
    socket.write("PING\r\n");
  });
}
