/**
 * Whether a failed command says something about Redis, or
 * about the command.
 */
import { ReplyError } from "ioredis";

/**
 * Replies about the state of the server: full, read-only,
 * loading, and so on.
 */
const SERVER_STATES = new RegExp(
  `^(${[
    "OOM",
    "READONLY",
    "LOADING",
    "MISCONF",
    "MASTERDOWN",
    "CLUSTERDOWN",
    "TRYAGAIN",
    "NOREPLICAS",
    "BUSY",
    "NOAUTH",
    "WRONGPASS",
    "NOPERM",
  ].join("|")})\\b`,
);

/**
 * `server`: Redis is in a state in which it refuses others
 * too. `command`: it refuses this one. Null: no reply of
 * Redis at all.
 */
export function refusalOf(error: unknown): "server" | "command" | null {
  if (error instanceof ReplyError)
    return SERVER_STATES.test((error as Error).message) ? "server" : "command";
  return error instanceof Error && error.cause !== undefined ? refusalOf(error.cause) : null;
}
