/** The cost of recognising a caller: hashes of its token and comparisons with the service token. */
import type { createHash, Hash, hash, timingSafeEqual } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { signUp, whoIs } from "../../support/accounts.js";
import { ADMIN_TOKEN, type RunningApp, startApp } from "../../support/app.js";
import { ask, connectSocket } from "../websocket/socket-client.js";

const counted = vi.hoisted(() => ({ hashed: [] as unknown[], comparisons: 0 }));

vi.mock("node:crypto", async (importOriginal) => {
  const crypto = await importOriginal<typeof import("node:crypto")>();
  return {
    ...crypto,
    createHash: (...args: Parameters<typeof createHash>): Hash => {
      const digest = crypto.createHash(...args);
      const update = digest.update.bind(digest) as (...data: unknown[]) => Hash;
      return Object.assign(digest, {
        update(...data: unknown[]) {
          counted.hashed.push(data[0]);
          return update(...data);
        },
      });
    },
    hash: (...args: Parameters<typeof hash>) => {
      counted.hashed.push(args[1]);
      return crypto.hash(...args);
    },
    timingSafeEqual: (...args: Parameters<typeof timingSafeEqual>) => {
      counted.comparisons++;
      return crypto.timingSafeEqual(...args);
    },
  };
});

let app: RunningApp;
beforeAll(async () => {
  app = await startApp({ products: 0, roles: { api: true, worker: false } });
});
afterAll(() => app.close());
beforeEach(() => {
  counted.hashed = [];
  counted.comparisons = 0;
});

/** Hashes of a token, and comparisons of any digest, since the counts were reset. */
const cost = (token: string) => ({
  hashes: counted.hashed.filter((text) => text === token).length,
  comparisons: counted.comparisons,
});
const ONCE = { hashes: 1, comparisons: 1 };

describe("A request over HTTP", () => {
  it("An HTTP request hashes a session's token once, verified before or not.", async () => {
    const { token } = await signUp(app.url);
    for (let request = 1; request <= 2; request++) {
      counted.hashed = [];
      counted.comparisons = 0;
      expect(await whoIs(app.url, token)).not.toBeNull();
      expect(cost(token)).toEqual(ONCE);
    }
  });

  it("An HTTP request hashes the service token once.", async () => {
    await whoIs(app.url, ADMIN_TOKEN);
    expect(cost(ADMIN_TOKEN)).toEqual(ONCE);
  });

  it("An HTTP request hashes a refused token once.", async () => {
    expect(await whoIs(app.url, "unknown-token")).toBe("UNAUTHENTICATED");
    expect(cost("unknown-token")).toEqual(ONCE);
  });
});

it("A socket hashes its token once for all of its operations.", async () => {
  const { token } = await signUp(app.url);
  counted.hashed = [];
  counted.comparisons = 0;
  const socket = await connectSocket(app.wsUrl, { authorization: `Bearer ${token}` });
  for (const alias of ["a", "b"])
    expect(await ask(socket, { query: `{ ${alias}: viewer { email } }` })).not.toHaveProperty(
      "errors",
    );
  expect(cost(token)).toEqual(ONCE);
  await socket.close();
});
