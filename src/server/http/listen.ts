/** Listening on an address, or saying what the operator can do about it. */
import type { FastifyInstance } from "fastify";
import { StartupError } from "../../domain/errors.js";
import { own } from "../../domain/own.js";

/** Where to listen, and the variable that says so. */
export interface Address {
  readonly host: string;
  readonly port: number;
  readonly variable: "PORT" | "WORKER_PORT";
}

/** What to do when an address cannot be had, by the error code of the system. */
const ADVICE: Readonly<Record<string, (variable: string) => string>> = {
  EADDRINUSE: (variable) =>
    `is already in use. Stop what listens there, or set ${variable} to another one (0 takes ` +
    "a free one).",
  EACCES: (variable) => `may not be opened by this user. Set ${variable} to one above 1023.`,
  EADDRNOTAVAIL: () =>
    "is not an address of this machine. Set HOST to one that is, such as 127.0.0.1 or 0.0.0.0.",
  ENOTFOUND: () =>
    "is not an address. Set HOST to one of this machine, such as 127.0.0.1 or 0.0.0.0.",
};

/**
 * Connections that may wait to be accepted; the kernel's `somaxconn` bounds it too. Node's default
 * of 511 overflows when thousands come back at once, and a client whose connection was dropped
 * there learns of it only by sending again, for seconds.
 */
const BACKLOG = 4_096;

/** Resolves to the URL. Throws StartupError when the address cannot be had. */
export async function listen(
  app: FastifyInstance,
  { host, port, variable }: Address,
): Promise<{ url: string }> {
  try {
    return { url: await app.listen({ host, port, backlog: BACKLOG }) };
  } catch (error) {
    const { code = "", message } = error as NodeJS.ErrnoException;
    const advice = own(ADVICE, code)?.(variable) ?? `cannot be listened on: ${message}`;
    throw new StartupError(`${host}:${port} ${advice}`, { cause: error });
  }
}
