/** What passwords cost, and whom they cost it. */
import { describe, expect, it } from "vitest";
import { ServiceUnavailable } from "../../../src/domain/errors.js";
import { createPasswords } from "../../../src/services/account/passwords.js";

const COST = { memoryKib: 19 * 1024, passes: 2, concurrency: 2, queue: 100 };

describe("a hash", () => {
  it("A hash is Argon2id with at least 19 MiB and two passes, and differs each time.", async () => {
    const passwords = createPasswords(COST);
    const [one, two] = await Promise.all([
      passwords.hash("correct horse"),
      passwords.hash("correct horse"),
    ]);
    expect(one).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    expect(one).not.toBe(two);
    expect([
      await passwords.matches("correct horse", one),
      await passwords.matches("correct hors", one),
    ]).toEqual([true, false]);
    expect(await passwords.matches("correct horse", null)).toBe(false);
  });

  it("A hash is weak once the configuration asks for more.", async () => {
    const hash = await createPasswords(COST).hash("correct horse");
    expect([
      createPasswords(COST).isWeak(hash),
      createPasswords({ ...COST, memoryKib: 20 * 1024 }).isWeak(hash),
      createPasswords({ ...COST, passes: 3 }).isWeak(hash),
    ]).toEqual([false, true, true]);
  });
});

describe("twenty at once", () => {
  it("Hashes are computed beside the thread that serves requests.", async () => {
    const passwords = createPasswords(COST);
    await passwords.hash("warm");
    let turns = 0;
    const timer = setInterval(() => {
      turns += 1;
    }, 5);
    await Promise.all(Array.from({ length: 20 }, () => passwords.hash("correct horse")));
    clearInterval(timer);
    // One hash in the way would leave a turn for each hash at most.
    expect(turns).toBeGreaterThan(20);
  });

  it("Sign-ins beyond the queue are refused at once, and the others served.", async () => {
    const passwords = createPasswords({ ...COST, queue: 3 });
    const results = await Promise.allSettled(
      Array.from({ length: 20 }, () => passwords.hash("correct horse")),
    );
    const refused = results.filter((result) => result.status === "rejected");
    expect(refused).toHaveLength(15);
    expect(refused.every(({ reason }) => reason instanceof ServiceUnavailable)).toBe(true);
    expect(await passwords.hash("afterwards")).toMatch(/^\$argon2id/);
  });
});
