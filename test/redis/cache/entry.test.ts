/** Stored entries: what survives the round trip, and when an entry may be served. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  decodeEntry,
  type Entry,
  encodeEntry,
  fenceOf,
  judgeAge,
  judgeTags,
} from "../../../src/redis/cache/entry.js";
import { compareTag } from "../../../src/redis/cache/tags.js";

const HEAD = "1700000000000000|5000|";
const entry: Entry = {
  value: 1,
  storedAtMs: 1_000,
  freshMs: 100,
  graceMs: 50,
  versions: ["1@a", "2"],
  size: 1,
};

describe("a stored entry", () => {
  it("An entry carries any JSON value with its times and versions.", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.nat(), fc.nat(), (value, freshMs, graceMs) => {
        const versions = ["1@a", "2:3"];
        const stored = `${HEAD}${encodeEntry(value, { freshMs, graceMs, versions })}`;
        const json = JSON.parse(JSON.stringify(value)) as unknown;
        expect(decodeEntry(stored)).toEqual({
          value: json,
          storedAtMs: 5000,
          freshMs,
          graceMs,
          versions,
          size: stored.length,
        });
        expect(fenceOf(stored)).toBe(1_700_000_000_000_000);
      }),
    );
  });

  it("A text that is no entry of ours counts as missing.", () => {
    const damaged = [
      null,
      "",
      "\n",
      "text",
      "a|b|c",
      "1|2|3|4\n{}",
      `${HEAD}1|1|v`,
      `${HEAD}1|1|v\n`,
      `${HEAD}1|1|v\n{"a":`,
    ];
    for (const text of damaged) expect(decodeEntry(text)).toBeNull();
    fc.assert(fc.property(fc.string(), (text) => void decodeEntry(text)));
  });

  it("An entry whose times are no numbers is never served.", () => {
    const odd = decodeEntry("1|x|y|z|v\n1");
    expect(odd && judgeAge(odd, "current", 0)).toBe("dead");
  });
});

describe("an entry's age", () => {
  it.each([
    [1_000, "fresh"],
    [1_079, "fresh"],
    [1_080, "early"],
    [1_099, "early"],
    [1_100, "stale"],
    [1_149, "stale"],
    [1_150, "dead"],
  ] as const)("At %i ms an entry is %s.", (nowMs, freshness) => {
    expect(judgeAge(entry, "current", nowMs)).toBe(freshness);
  });

  it("The age of an entry does not save it from expired or changed tags.", () => {
    expect(judgeAge(entry, "stale", 1_000)).toBe("stale");
    expect(judgeAge(entry, "stale", 1_150)).toBe("dead");
    expect(judgeAge(entry, "dead", 1_000)).toBe("dead");
  });
});

describe("an entry's tags", () => {
  it.each([
    ["5", "5", "current"],
    ["5:6", "5:6", "current"],
    ["5", "5:6", "stale"],
    ["5:6", "5:7", "stale"],
    ["5", "6", "dead"],
    ["5:6", "7:6", "dead"],
    ["5", "50", "dead"],
    ["5", null, "dead"],
    ["1@a", "1@b", "dead"],
  ] as const)(
    "Tags %s, compared with the present tags %s, are %s.",
    (carried, current, verdict) => {
      expect(compareTag(carried, current)).toBe(verdict);
    },
  );

  it("The worst tag decides, and another number of tags is dead.", () => {
    expect(judgeTags(entry, ["1@a", "2"])).toBe("current");
    expect(judgeTags(entry, ["1@a", "2:9"])).toBe("stale");
    expect(judgeTags(entry, ["9@a", "2:9"])).toBe("dead");
    expect(judgeTags(entry, ["1@a", null])).toBe("dead");
    expect(judgeTags(entry, ["1@a"])).toBe("dead");
    expect(judgeTags(entry, ["1@a", "2", "3"])).toBe("dead");
  });
});
