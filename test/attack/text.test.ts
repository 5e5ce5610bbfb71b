/**
 * What people type, against every text that a mutation takes: nothing invisible where something is
 * needed, no directions in names, one form of every word. The table of places is compared with the
 * schema, so a new text has to say what it refuses.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { buildSchema, type GraphQLInputType, getNamedType, isInputObjectType } from "graphql";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { signUp } from "../support/accounts.js";
import { type RunningApp, startApp } from "../support/app.js";
import { type Data, post } from "../support/graphql.js";
import { ROOT } from "../support/node-process.js";

/** Texts that show nothing. */
const INVISIBLE: readonly (readonly [name: string, text: string])[] = [
  ["nothing", ""],
  ["spaces of all widths", " \t\n\u00a0\u1680\u2003\u202f\u3000"],
  ["zero-width space", "\u200b\u200b\u200b"],
  ["zero-width joiner", "\u200d"],
  ["zero-width non-joiner", "\u200c"],
  ["word joiner", "\u2060"],
  ["byte-order mark", "\ufeff"],
  ["soft hyphen", "\u00ad"],
  ["combining grapheme joiner", "\u034f"],
  ["Mongolian vowel separator", "\u180e"],
  ["direction marks", "\u200e\u200f\u061c"],
  ["a right-to-left override and nothing to turn", "\u202e\u202c"],
  ["Hangul fillers", "\u115f\u1160\u3164\uffa0"],
  ["Braille blank", "\u2800\u2800"],
  ["Khmer inherent vowels", "\u17b4\u17b5"],
  ["variation selectors", "\ufe0f\ufe0e\u{e0100}"],
  ["tags", "\u{e0041}\u{e007f}"],
  ["invisible operators", "\u2061\u2062\u2063\u2064"],
  ["an accent without a letter", " \u0301\u0308"],
  ["musical controls and the null notehead", "\u{1d173}\u{1d17a}\u{1d159}"],
  ["shorthand controls", "\u{1bca0}\u{1bca3}"],
  ["an object replacement", "\ufffc"],
  ["noncharacters", "\ufffe\uffff\u{1fffe}"],
  ["line and paragraph separators", "\u2028\u2029"],
  ["controls", "\u0007\u001b\u0085\u009f"],
  ["a mixture", "\u200b \u3164\u00ad\u2800\u0301"],
];

/** Texts that show something, as people write them. */
const VISIBLE: readonly (readonly [name: string, text: string])[] = [
  ["a family, joined", "👨‍👩‍👧‍👦"],
  ["a heart with a variation selector at its end", "❤️"],
  ["the flag of England, in tags", "🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}"],
  ["a keycap", "1️⃣"],
  ["Persian with a non-joiner", "می‌خواهم"],
  ["Sinhala with a joiner", "ශ්‍රී"],
  ["Arabic with a mark", "سعر \u200f50"],
  ["Hebrew with points", "שָׁלוֹם"],
  ["Hindi", "क्षत्रिय"],
  ["Thai with a zero-width space inside", "ภาษา\u200bไทย"],
  ["Korean", "각"],
  ["Vietnamese", "Điện Biên Phủ"],
  ["punctuation alone", "…"],
  ["a private sign", "\ue000"],
];

/** Each sign that changes the direction of what stands around it. */
const DIRECTIONAL = [
  "\u202a",
  "\u202b",
  "\u202c",
  "\u202d",
  "\u202e",
  "\u2066",
  "\u2067",
  "\u2068",
  "\u2069",
];

type Kind = "line" | "body" | "optional body" | "word" | "opaque";

/**
 * Every text of every mutation. `word` is a text with a pattern; `opaque` ones are exceptions, each
 * with its reason.
 */
const PLACES: Readonly<
  Record<string, { readonly kind: Kind; readonly blank?: string; readonly why?: string }>
> = {
  "SignUpInput.name": { kind: "line", blank: "REQUIRED" },
  "SignUpInput.email": { kind: "word", blank: "REQUIRED" },
  "SignUpInput.password": {
    kind: "opaque",
    why: "a password may be of blanks; only its length counts",
  },
  "SignInInput.email": { kind: "opaque", why: "a refusal must not say more than BAD_CREDENTIALS" },
  "SignInInput.password": {
    kind: "opaque",
    why: "a refusal must not say more than BAD_CREDENTIALS",
  },
  "ChangePasswordInput.currentPassword": { kind: "opaque", why: "it is compared, nothing else" },
  "ChangePasswordInput.newPassword": {
    kind: "opaque",
    why: "a password may be of blanks; only its length counts",
  },
  "ReviewInput.body": { kind: "body", blank: "REQUIRED" },
  "ProductInput.sku": { kind: "line", blank: "REQUIRED" },
  "ProductInput.name": { kind: "line", blank: "REQUIRED" },
  "ProductInput.description": { kind: "optional body" },
  "NotificationInput.kind": { kind: "word", blank: "REQUIRED" },
  "NotificationInput.title": { kind: "line", blank: "REQUIRED" },
  "NotificationInput.body": { kind: "optional body" },
  "NotificationInput.url": {
    kind: "opaque",
    why: "an address: null when blank, and no sign of it may be invisible",
  },
  "LeaderboardInput.slug": { kind: "word", blank: "REQUIRED" },
  "LeaderboardInput.title": { kind: "line", blank: "REQUIRED" },
  "LeaderboardInput.timeZone": { kind: "word", blank: "INVALID" },
  "ScoreInput.slug": { kind: "word", blank: "NOT_FOUND" },
  "ScoreInput.metadata": { kind: "opaque", why: "bytes of the client, kept unchanged" },
  "markNotificationsRead.upTo": { kind: "opaque", why: "a cursor that we gave" },
};

let app: RunningApp;
let productId: string;
let customer: string;
let number = 0;

beforeAll(async () => {
  app = await startApp({ products: 5, env: { LIMIT_SIGN_IN_BURST: "100000" } });
  productId = String(
    (await post(app.url, "{ products(first: 1) { edges { node { id } } } }")).data.products!
      .edges![0]!.node!.id,
  );
  customer = (await signUp(app.url)).token;
  await change("LeaderboardInput", { slug: "owners" });
});
afterAll(() => app.close());

interface Form {
  readonly field: string;
  readonly token: () => string;
  readonly input: () => Record<string, unknown>;
  readonly answer?: string;
}

const admin = () => app.adminToken;
const next = () => ++number;

/** A correct input of each mutation that takes text. */
const FORMS: Readonly<Record<string, Form>> = {
  SignUpInput: {
    field: "signUp",
    token: () => "",
    input: () => ({ email: `a${next()}@test.example`, name: "Ada", password: "correct horse" }),
    answer: "viewer { user { name } email }",
  },
  ReviewInput: {
    field: "addReview",
    token: () => customer,
    input: () => ({ productId, rating: 5, body: "Sturdy." }),
    answer: "review { body }",
  },
  ProductInput: {
    field: "upsertProduct",
    token: admin,
    input: () => ({
      sku: `T-${next()}`,
      name: "Chair",
      description: "",
      ...placed,
      price: 5,
      stock: 1,
    }),
    answer: "product { id sku name description }",
  },
  NotificationInput: {
    field: "sendNotification",
    token: admin,
    input: () => ({ everyone: true, kind: "test", title: "Hello", body: "" }),
    answer: "recipients",
  },
  LeaderboardInput: {
    field: "createLeaderboard",
    token: admin,
    input: () => ({ slug: `b-${next()}`, title: "Board" }),
    answer: "leaderboard { slug title timeZone }",
  },
  ScoreInput: {
    field: "submitScore",
    token: admin,
    input: () => ({ slug: "owners", score: 1, owner: "somebody" }),
    answer: "changes { rank }",
  },
};
const placed = { brandId: Buffer.from("Brand:1").toString("base64"), categoryId: "" };

/** Sends a correct input with some values replaced. */
async function change(type: string, values: Record<string, unknown>): Promise<Data> {
  const { field, token, input, answer = "" } = FORMS[type]!;
  if (type === "ProductInput" && placed.categoryId === "") {
    const found = await post(
      app.url,
      "{ products(first: 1) { edges { node { brand { id } category { id } } } } }",
    );
    const node = found.data.products!.edges![0]!.node!;
    Object.assign(placed, { brandId: node.brand!.id, categoryId: node.category!.id });
  }
  const query =
    `mutation($input: ${type}!) { ${field}(input: $input) { ${answer} errors { code field ` +
    "message } } }";
  const { data, errors } = await post(
    app.url,
    query,
    { input: { ...input(), ...values } },
    { token: token() },
  );
  if (errors) throw new Error(JSON.stringify(errors));
  return data[field]!;
}

/** The code of the first error; "ok" when there is none. */
async function verdict(place: string, text: string): Promise<string> {
  const [type = "", field = ""] = place.split(".");
  const [error] = (await change(type, { [field]: text })).errors as unknown as {
    code: string;
    field: string[];
  }[];
  if (error) expect(error.field).toEqual(["input", field]);
  return error?.code ?? "ok";
}

/** Addresses of the users that an admin finds by a text; the code of a refusal. */
async function usersFound(text: string): Promise<string[] | string> {
  const { data, errors } = await post(
    app.url,
    "query($text: String) { users(text: $text) { edges { node { email } } } }",
    { text },
    { token: admin() },
  );
  return errors?.[0]?.extensions.code ?? data.users!.edges!.map(({ node }) => String(node!.email));
}

const placesOf = (...kinds: Kind[]) =>
  Object.entries(PLACES).filter(([, { kind }]) => kinds.includes(kind));

test("Every text that a mutation takes is in the table; every exception has a reason.", () => {
  const schema = buildSchema(readFileSync(join(ROOT, "src/schema/schema.graphql"), "utf8"));
  const found = new Set<string>();
  const visit = (name: string, wrapped: GraphQLInputType): void => {
    const type = getNamedType(wrapped);
    if (isInputObjectType(type))
      for (const field of Object.values(type.getFields()))
        visit(`${type.name}.${field.name}`, field.type);
    else if (type.name === "String") found.add(name);
  };
  for (const field of Object.values(schema.getMutationType()?.getFields() ?? {}))
    for (const argument of field.args) visit(`${field.name}.${argument.name}`, argument.type);
  expect([...found].sort()).toEqual(Object.keys(PLACES).sort());
  expect(placesOf("opaque").filter(([, { why }]) => !why)).toEqual([]);
});

describe.each(placesOf("line", "body", "word"))("%s", (place, { blank }) => {
  test.each(INVISIBLE)("Text that shows nothing is refused as blank: %s.", async (_, text) => {
    expect(await verdict(place, text)).toBe(blank);
  });
});

describe.each(placesOf("optional body"))("%s", (place) => {
  test.each(INVISIBLE)("Text that shows nothing is kept as none: %s.", async (_, text) => {
    expect(await verdict(place, text)).toBe("ok");
  });
});

describe.each(placesOf("line", "body", "optional body"))("%s", (place, { kind }) => {
  test.each(VISIBLE)("Text that shows something is taken: %s.", async (_, text) => {
    expect(await verdict(place, `${text}${place.endsWith(".sku") ? next() : ""}`)).toBe("ok");
  });

  test("A change of direction is refused in one line, and wherever it is not closed.", async () => {
    for (const sign of DIRECTIONAL)
      expect([sign, await verdict(place, `a${sign}b`)]).toEqual([sign, "INVALID"]);
    const closed = kind === "line" ? "INVALID" : "ok";
    for (const text of ["a \u2067שלום\u2069 b", "a \u202bשלום \u202aABC\u202c\u202c b"])
      expect([text, await verdict(place, text)]).toEqual([text, closed]);
    for (const text of ["\u2067a\n\u2069b", "\u202ba\u2069\u202cb"])
      expect([text, await verdict(place, text)]).toEqual([text, "INVALID"]);
  });

  test("Controls are refused, and line breaks where one line is meant.", async () => {
    for (const text of ["a\u0007b", "a\u001b[31mb", "a\u007fb", "a\u009fb", "a\ufffeb"])
      expect([text, await verdict(place, text)]).toEqual([text, "INVALID"]);
    const breaks = kind === "line" ? "INVALID" : "ok";
    for (const text of ["a\nb", "a\r\nb", "a\tb", "a\u000bb", "a\u0085b", "a\u2028b"])
      expect([text, await verdict(place, text)]).toEqual([text, breaks]);
  });

  test("The length is that of the stored form.", async () => {
    const most = {
      "SignUpInput.name": 100,
      "LeaderboardInput.title": 100,
      "ProductInput.sku": 64,
      "ReviewInput.body": 5_000,
    }[place];
    if (most === undefined) return;
    expect(await verdict(place, "e\u0301".repeat(most))).toBe("ok");
    expect(await verdict(place, "é".repeat(most + 1))).toBe("TOO_LONG");
    // An excluded composition: NFC makes two characters of it.
    expect(await verdict(place, "\u0958".repeat(most))).toBe("TOO_LONG");
  });
});

describe("addresses", () => {
  test.each([
    "a\u200bb@test.example",
    "ab@test\u00ad.example",
    "a\u202eb@test.example",
    "a\u2800b@test.example",
    "a\u3164b@test.example",
    "a b@test.example",
  ])("An address of e-mail with a sign that cannot be seen is none: %j.", async (email) => {
    expect(await verdict("SignUpInput.email", email)).toBe("INVALID");
  });

  test.each([
    "/a\u200b",
    "/a\u202eb",
    "https://shop.example/\u00ad",
    "/a\u2800",
    "/a\u0000".replace("\u0000", "\u0001"),
  ])("A link with a sign that cannot be seen is none: %j.", async (url) => {
    expect(await verdict("NotificationInput.url", url)).toBe("INVALID");
  });

  test("An address is one account in every form and case.", async () => {
    const email = `rené-é-${next()}@test.example`;
    const password = `pässwörd-${next()}`;
    expect(
      (
        await change("SignUpInput", {
          email: email.normalize("NFD").toUpperCase(),
          password: password.normalize("NFD"),
        })
      ).errors,
    ).toEqual([]);
    expect(await verdict("SignUpInput.email", email)).toBe("TAKEN");
    expect(await verdict("SignUpInput.email", `\u200b ${email.normalize("NFD")}\ufeff`)).toBe(
      "TAKEN",
    );
    const signIn =
      "mutation($input: SignInInput!) { signIn(input: $input) { viewer { email } errors { " +
      "code } } }";
    for (const form of ["NFC", "NFD"] as const)
      for (const other of ["NFC", "NFD"] as const) {
        const input = { email: email.normalize(form), password: password.normalize(other) };
        expect((await post(app.url, signIn, { input })).data.signIn).toEqual({
          viewer: { email },
          errors: [],
        });
      }
  });

  test("A password of the longest length signs in from every keyboard.", async () => {
    const password = "ǖ".normalize("NFC").repeat(256);
    const email = `long-${next()}@test.example`;
    expect(
      (await change("SignUpInput", { email, password: password.normalize("NFD") })).errors,
    ).toEqual([]);
    const signIn = "mutation($input: SignInInput!) { signIn(input: $input) { errors { code } } }";
    for (const form of ["NFC", "NFD"] as const)
      expect(
        (await post(app.url, signIn, { input: { email, password: password.normalize(form) } })).data
          .signIn,
      ).toEqual({ errors: [] });
  });
});

describe("one form", () => {
  test("A product is found by both forms of its name, whichever it was written in.", async () => {
    for (const form of ["NFC", "NFD"] as const) {
      const name = `Crème${next()} brûlée`;
      const sku = `É-${next()}`;
      const { product } = await change("ProductInput", {
        sku: sku.normalize(form),
        name: name.normalize(form),
      });
      expect(product).toMatchObject({ sku, name });
      for (const asked of ["NFC", "NFD"] as const)
        for (const text of [name, sku]) {
          const { data } = await post(
            app.url,
            "query($text: String) { products(filter: { text: $text }) { totalCount } }",
            {
              text: text.normalize(asked),
            },
          );
          expect([form, asked, text, data.products]).toEqual([
            form,
            asked,
            text,
            { totalCount: 1 },
          ]);
        }
      const again = await change("ProductInput", {
        sku: sku.normalize(form === "NFC" ? "NFD" : "NFC"),
        name,
      });
      expect(again.product!.id).toBe(product!.id);
    }
  });

  test("A user is found by both forms of name and address, whichever they were written in.", async () => {
    for (const form of ["NFC", "NFD"] as const) {
      const [name, email] = [`Zoë${next()} Ångström`, `zoë${next()}@test.example`];
      await change("SignUpInput", { name: name.normalize(form), email: email.normalize(form) });
      for (const asked of ["NFC", "NFD"] as const)
        for (const text of [name, email, name.toUpperCase(), email.toUpperCase()])
          expect([form, asked, text, await usersFound(text.normalize(asked))]).toEqual([
            form,
            asked,
            text,
            [email],
          ]);
    }
  });

  test("A search for users that shows nothing filters nothing; half a character is refused.", async () => {
    const all = await usersFound("");
    for (const [name, text] of INVISIBLE)
      expect([name, await usersFound(text)]).toEqual([name, all]);
    for (const text of ["\0", "a\0b", "\ud800", "a\udc00"])
      expect([text, await usersFound(text)]).toEqual([text, "BAD_USER_INPUT"]);
    for (const sign of [...DIRECTIONAL, "%", "_", "\\", "'", "|", ":*"])
      expect([sign, await usersFound(sign)]).toEqual([sign, expect.any(Array)]);
  });

  test("Text is answered as it is stored: composed, and without blanks at its ends.", async () => {
    const typed = "\u200b\u00a0 Cafe\u0301 👨‍👩‍👧\u2060 ";
    expect((await change("SignUpInput", { name: typed })).viewer).toMatchObject({
      user: { name: "Café 👨‍👩‍👧" },
    });
    expect((await change("ReviewInput", { body: typed })).review).toEqual({ body: "Café 👨‍👩‍👧" });
    expect((await change("LeaderboardInput", { title: typed })).leaderboard).toMatchObject({
      title: "Café 👨‍👩‍👧",
    });
    expect(
      (await change("ProductInput", { name: typed, description: typed })).product,
    ).toMatchObject({
      name: "Café 👨‍👩‍👧",
      description: "Café 👨‍👩‍👧",
    });
  });

  test("An owner of scores is one owner in every form, and is visible.", async () => {
    for (const form of ["NFC", "NFD"] as const)
      expect((await change("ScoreInput", { owner: "Zoë".normalize(form) })).errors).toEqual([]);
    const query =
      'query($owner: ID!) { leaderboard(slug: "owners") { entry(owner: $owner) { owner } ' +
      "around(owner: $owner) { owner } } }";
    for (const form of ["NFC", "NFD"] as const)
      expect(
        (await post(app.url, query, { owner: "Zoë".normalize(form) })).data.leaderboard,
      ).toEqual({
        entry: { owner: "Zoë" },
        around: [{ owner: "Zoë" }],
      });
    for (const [, text] of INVISIBLE)
      expect([text, await verdict("ScoreInput.owner", text)]).toEqual([text, "REQUIRED"]);
    for (const sign of DIRECTIONAL)
      expect([sign, await verdict("ScoreInput.owner", `a${sign}b`)]).toEqual([sign, "INVALID"]);
  });

  test.each([
    ["europe/berlin", "Europe/Berlin"],
    ["EST5EDT", "EST5EDT"],
    ["PST8PDT", "PST8PDT"],
    ["Etc/GMT+5", "Etc/GMT+5"],
    ["+02:00", null],
    ["Mars/Olympus", null],
  ])("The time zone %s is taken as %s.", async (timeZone, stored) => {
    const { leaderboard, errors } = await change("LeaderboardInput", { timeZone });
    if (stored === null)
      expect(errors).toMatchObject([{ code: "INVALID", field: ["input", "timeZone"] }]);
    else expect(leaderboard).toMatchObject({ timeZone: stored });
  });
});

describe("numbers out of bounds", () => {
  test.each([
    ["{ products(first: 4294967296) { totalCount } }", {}],
    ["query($n: Int) { products(first: $n) { totalCount } }", { n: 2 ** 40 }],
    ["{ products(first: 2147483647) { totalCount } }", {}],
    ["{ products(filter: { minPrice: 9007199254740993 }) { totalCount } }", {}],
    ["query($p: SafeInt) { products(filter: { maxPrice: $p }) { totalCount } }", { p: 1e300 }],
  ])("A number beyond its bound is never called no number: %s.", async (query, variables) => {
    const { errors } = await post(app.url, query, variables);
    expect(errors?.[0]?.message).toMatch(/32-bit|between 1 and 100|safe|unsafe|maximum/i);
    expect(errors?.[0]?.message).not.toMatch(/not a number|not an integer|non-integer/i);
  });
});
