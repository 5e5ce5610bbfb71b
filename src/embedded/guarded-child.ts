/**
 * A server process that ends with us, however we end.
 *
 * The server runs under a shell script that holds the read
 * end of a pipe. The only write end is ours. The pipe ends
 * when this process stops, crashes or is killed with SIGKILL.
 * Then the shell stops the server. One that does not stop in
 * time (a Redis that cannot save) is killed. The pair runs in
 * a session of its own, so Ctrl-C reaches this process alone.
 * This process decides when the server stops.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";

/**
 * $1 is the signal that stops the server, $2 the seconds it
 * may take. The rest is its command line. Prints the server's
 * pid; exits as the server exits. The watch stands before the
 * print: with a dead owner, printing ends the shell.
 */
export const GUARD = `
stop="$1"; grace="$2"; shift 2; exec 3<&0
"$@" </dev/null 3<&- & server=$!
( read -r _ <&3; kill -s "$stop" "$server"
  while [ "$grace" -gt 0 ] && kill -0 "$server"; do sleep 1; grace=$((grace - 1)); done
  kill -s KILL "$server" ) >/dev/null 2>&1 & watch=$!
echo "$server"
wait "$server"; code=$?
kill "$watch" 2>/dev/null
exit "$code"`;

export interface GuardedOptions {
  readonly command: string;
  readonly args: readonly string[];
  /**
   * Stops the server in good order: SIGTERM for redis-server,
   * SIGINT for postgres.
   */
  readonly stopSignal: "TERM" | "INT";
  /**
   * Seconds to stop before it is killed, whole; default
   * {@link STOP_GRACE_S}.
   */
  readonly graceSeconds?: number;
  readonly cwd?: string;
  /** Variables besides our own. */
  readonly env?: Readonly<Record<string, string>>;
  /**
   * Called with each line of its standard output, which is
   * then no part of {@link Ending.output}.
   */
  readonly onLine?: (line: string) => void;
  /** The user of the server; only root may set it. */
  readonly user?: { readonly uid: number; readonly gid: number };
}

export interface GuardedChild {
  readonly pid: number;
  /**
   * Resolves when the server has ended, with its exit code
   * (128 + number of the signal) and its last output.
   */
  readonly exited: Promise<Ending>;
  /** Stops the server and waits until it has ended. */
  stop(): Promise<void>;
  /** Ends server and guard at once; they save nothing. */
  kill(): void;
}

export interface Ending {
  readonly code: number;
  readonly output: string;
}

/** Enough to save a dataset while it stops. */
const STOP_GRACE_S = 10;
/** More output of a server does not help. */
const OUTPUT_BYTES = 16_384;
const LAST_WORDS_MS = 100;
/** The exit code of a shell without such a command. */
export const NO_SUCH_COMMAND = 127;

/**
 * Starts a server under guard. Resolves as soon as it has a
 * pid; the caller has to ask whether it is up.
 */
export async function startGuarded(options: GuardedOptions): Promise<GuardedChild> {
  const { command, args, stopSignal, graceSeconds = STOP_GRACE_S, cwd, env, user } = options;
  const guard = spawn(
    "/bin/sh",
    ["-c", GUARD, "sh", stopSignal, `${graceSeconds}`, command, ...args],
    {
      detached: true,
      stdio: ["pipe", "pipe", "pipe"],
      ...(cwd === undefined ? {} : { cwd }),
      ...(env ? { env: { ...process.env, ...env } } : {}),
      ...(user ? { uid: user.uid, gid: user.gid } : {}),
    },
  );
  // The guard may be gone before we close its pipe. That is no
  // failure: closing it ends the guard.
  guard.stdin?.on("error", () => {});
  const { onLine } = options;
  const exited = exitOf(guard, onLine ? [guard.stderr] : [guard.stdout, guard.stderr]);
  if (onLine) readLines(guard, onLine);
  const pid = await Promise.race([
    pidOf(guard),
    exited.then(({ output }) => Promise.reject(new Error(`${command} did not start: ${output}`))),
  ]);
  return {
    pid,
    exited,
    async stop() {
      guard.stdin?.end();
      await exited;
    },
    kill() {
      try {
        // The guard leads a session: its group has the server.
        if (guard.pid && guard.exitCode === null) process.kill(-guard.pid, "SIGKILL");
      } catch {
        // The group has ended by itself.
      }
    },
  };
}

/** The guard's first line. */
async function pidOf(guard: ChildProcess): Promise<number> {
  if (!guard.stdout) throw new Error("the guard has no stdout");
  const [line] = (await once(guard.stdout, "data")) as [Buffer];
  return Number.parseInt(line.toString(), 10);
}

/** The lines after the guard's own. */
function readLines({ stdout }: ChildProcess, onLine: (line: string) => void): void {
  if (!stdout) return;
  const lines = createInterface({ input: stdout });
  lines.once("line", () => lines.on("line", onLine));
}

function exitOf(guard: ChildProcess, streams: readonly (Readable | null)[]): Promise<Ending> {
  let output = "";
  // A full pipe would block a server that writes.
  for (const stream of streams) {
    stream?.on("data", (chunk: Buffer) => {
      output = (output + chunk.toString()).slice(-OUTPUT_BYTES);
    });
  }
  return new Promise((resolve) => {
    guard.once("error", (error) => resolve({ code: NO_SUCH_COMMAND, output: error.message }));
    guard.once("exit", async (code) => {
      await lastWords(guard);
      resolve({ code: code ?? NO_SUCH_COMMAND, output: output.replace(/^\d+\n/, "").trim() });
    });
  });
}

/**
 * A child of the server (a snapshot being written) may keep
 * the pipe open. So the wait for its end is bounded.
 */
async function lastWords(guard: ChildProcess): Promise<void> {
  const enough = new AbortController();
  const timer = setTimeout(() => enough.abort(), LAST_WORDS_MS);
  await once(guard, "close", { signal: enough.signal }).catch(() => {});
  clearTimeout(timer);
  for (const stream of [guard.stdout, guard.stderr, guard.stdin]) stream?.destroy();
}
