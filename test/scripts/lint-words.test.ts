/** Each rule of scripts/lint-words.mjs, by a text that it refuses and one that it lets pass. */
import { describe, expect, test } from "vitest";
import { offences } from "../../scripts/lint-words.mjs";

/** Where a text is refused. */
const lines = (path: string, text: string): number[] =>
  offences(path, text).map((line) => Number(line.split(":")[1]));

describe("names that were given up", () => {
  test("An identifier that was given up is refused with the term to use instead.", () => {
    expect(offences("src/a.ts", "const a = 1;\nclass Peer {}")).toEqual([
      'src/a.ts:2: "Peer" was given up: Connection',
    ]);
    expect(lines("test/a.ts", "import type { Ticket } from './b.js';\nx.takePlace();")).toEqual([
      1, 2,
    ]);
  });

  test("An identifier of Lua is refused, and a word of its comments or texts is not.", () => {
    expect(lines("src/a.lua", "-- Peer\nlocal s = 'Peer -- Peer'\nlocal Peer = 1")).toEqual([3]);
  });

  test("A pattern refuses constants with MOST, and no word that only contains it.", () => {
    const text = "const MOST_IDS = 1;\nconst IDS_MOST = 2;\nconst ALMOST = 3, most = 4;";
    expect(lines("src/a.ts", text)).toEqual([1, 2]);
  });

  test("Words in texts and comments of TypeScript are not identifiers.", () => {
    expect(offences("src/a.ts", 'const a = "Peer"; // Peer\nconst b = `Peer`;')).toEqual([]);
  });

  test("The name of a file or folder that was given up is refused, whatever its kind.", () => {
    for (const path of [
      "src/server/gate.ts",
      "test/peer.test.ts",
      "src/door/a.sql",
      "test/a-kit.ts",
    ])
      expect([path, lines(path, "")]).toEqual([path, [1]]);
    expect(offences("src/server/gateway.ts", "")).toEqual([]);
  });
});

describe("comments of the source", () => {
  const WORDS = ["whoever", "Somebody", "nobody", "everybody", "told", "tells", "tell", "knows"];

  test.each(WORDS)("A comment of TypeScript, Lua or SQL must not say %s.", (word) => {
    expect(lines("src/a.ts", `const a = 1; // ${word}`)).toEqual([1]);
    expect(lines("src/a.ts", `/**\n * One ${word}.\n */\nconst a = 1;`)).toEqual([2]);
    expect(lines("src/a.lua", `--[[\n ${word}\n]]\n-- ${word}\nreturn 1`)).toEqual([2, 4]);
    expect(lines("src/a.sql", `SELECT 1; -- ${word}\n/* ${word} */`)).toEqual([1, 2]);
  });

  test("A comment of a test, a text and a template may say such a word.", () => {
    const texts = "const a = `$" + "{b /* c */} // nobody`, d = '// told', e = /\\/\\/ nobody/;";
    expect(offences("test/a.ts", "// nobody")).toEqual([]);
    expect(offences("src/a.ts", texts)).toEqual([]);
    expect(offences("src/a.sql", "SELECT '-- nobody';")).toEqual([]);
    expect(offences("src/a.lua", 'return "-- nobody"')).toEqual([]);
  });

  test("A comment within the expression of a template is a comment.", () => {
    expect(lines("src/a.ts", "const a = `x\n$" + "{b /* nobody */}`;")).toEqual([2]);
  });
});

describe("sentences in comments of the source", () => {
  const words = (count: number) => Array(count).fill("word").join(" ");
  const LONG = words(16);
  const FULL = words(15);

  test("A sentence of 16 words is refused where it begins, and one of 15 is not.", () => {
    expect(offences("src/a.ts", `/**\n * One. Two:\n * ${LONG}.\n */`)).toEqual([
      "src/a.ts:3: a sentence of a comment has 16 words: write at most 15",
    ]);
    expect(lines("src/a.ts", `const a = 1; // ${LONG}`)).toEqual([1]);
    expect(lines("src/a.ts", `/** ${FULL}. */`)).toEqual([]);
    expect(lines("test/a.ts", `// ${LONG}`)).toEqual([]);
    expect(lines("src/a.ts", `const a = "// ${LONG}";`)).toEqual([]);
  });

  test("A sentence goes on in the next line comment, and no further than code.", () => {
    const [half, rest] = [words(8), words(8)];
    expect(lines("src/a.ts", `f();\n  // ${half}\n  // ${rest}`)).toEqual([2]);
    expect(lines("src/a.lua", `f()\n-- ${half}\n-- ${rest}`)).toEqual([2]);
    expect(lines("src/a.ts", `f(); // ${half}\ng(); // ${rest}`)).toEqual([]);
    expect(lines("src/a.ts", `// ${half}\n\n// ${rest}`)).toEqual([]);
  });

  test.each([". ", ": ", "; ", "? ", "! ", "\n *\n * ", "\n * - ", "\n * @param "])(
    "A sentence ends at %j.",
    (end) => expect(offences("src/a.ts", `/** ${FULL}${end}${words(14)} */`)).toEqual([]),
  );

  test("A stop within a word ends no sentence.", () => {
    expect(lines("src/a.ts", `// ${words(14)} a.b c`)).toEqual([1]);
  });

  test.each(["`a b. c`", "{@link a}", "(a b. c) word", "- word", "→ word"])(
    "%s counts as one word.",
    (text) => {
      expect(lines("src/a.ts", `// ${words(14)} ${text}.`)).toEqual([]);
      expect(lines("src/a.ts", `// ${words(15)} ${text}.`)).toEqual([1]);
    },
  );

  test("In the header of a script, each line on keys, arguments and results is on its own.", () => {
    const header = `KEYS[1]  ${words(14)}\nARGV[1]  ${words(8)}   ARGV[2]  ${words(14)}`;
    const lua = `--[[\n${FULL}\n${header}\nReturns  ${words(14)}\n  ${FULL}\n]]`;
    expect(lines("src/a.lua", lua)).toEqual([]);
    expect(lines("src/a.lua", lua.replaceAll("]  ", "]  word word "))).toEqual([3, 4]);
    expect(lines("src/a.lua", `--[[\n${FULL}\nword\n${header}\n]]`)).toEqual([2]);
  });
});

describe("titles of tests", () => {
  test.each(["that", "is", "are", "who", "whose", "Is"])("No title begins with %s.", (word) => {
    for (const call of ["test", "it", "describe", "test.only", "it.each([1])", "test.each`a`"])
      expect([call, lines("test/a.test.ts", `${call}(\n"${word} refused", f);`)]).toEqual([
        call,
        [2],
      ]);
    expect(lines("test/a.test.ts", `test(\`${word} \${a}\`, f);`)).toEqual([1]);
  });

  test.each(["it", "test.only", "it.each([1])"])("No title of %s begins in lower case.", (call) => {
    for (const title of ["a refusal consumes nothing.", "`a` is refused.", ".env is read."])
      expect([title, lines("test/a.test.ts", `${call}("${title}", f);`)]).toEqual([title, [1]]);
    for (const title of ["A refusal ends.", "4 of 5 end.", "%s ends.", "$name ends."])
      expect([title, lines("test/a.test.ts", `${call}("${title}", f);`)]).toEqual([title, []]);
    expect(lines("test/a.test.ts", `${call}(\`\${a} ends.\`, f);`)).toEqual([]);
    expect(lines("test/a.test.ts", `${call}(\`a \${b} ends.\`, f);`)).toEqual([1]);
  });

  test("A group may have a subject in lower case as its title.", () => {
    expect(offences("test/a.test.ts", 'describe("a refusal", f);')).toEqual([]);
  });

  test("A sentence is a title, and other calls have none.", () => {
    const text = 'test("Isolation holds.", f);\nexpect("is refused");\nuntil("that is so", f);';
    expect(offences("test/a.test.ts", text)).toEqual([]);
  });
});
