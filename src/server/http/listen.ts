/** Listening, with advice for operators where it fails. */
import type { FastifyInstance } from "fastify";
import { StartupError } from "../../domain/errors.js";
import { own } from "../../domain/own.js";

/** `variable` sets the port. */
export interface Address {
  readonly host: string;
  readonly port: number;
  readonly variable: "PORT" | "WORKER_PORT";
}

/** Advice by error code of the system. */
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
 * Connections waiting to be accepted, also bounded by
 * `somaxconn`. Node's default of 511 overflows when thousands
 * reconnect; a dropped client notices seconds later.
 */
const BACKLOG = 4_096;

/** Throws StartupError when the address is not available. */
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
