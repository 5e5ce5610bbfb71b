/** Free ports for servers of tests and benchmarks. */
import { randomInt } from "node:crypto";
import { createServer } from "node:net";

/**
 * Below the ports that systems give to outgoing connections. One of those may take a free port
 * before a server listens on it, or while that server is down.
 */
const FIRST = 10_000;
const END = 32_000;

/** Not given twice: a server may start long after it got its port. */
const given = new Set();

/** @returns {Promise<number>} a port of loopback that nothing listens on */
export async function freePort() {
  for (;;) {
    const port = randomInt(FIRST, END);
    if (given.has(port) || !(await isFree(port))) continue;
    given.add(port);
    return port;
  }
}

/** @returns {Promise<boolean>} whether a server can listen on a port */
function isFree(port) {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once("error", () => resolve(false));
    probe.listen(port, "127.0.0.1", () => probe.close(() => resolve(true)));
  });
}
