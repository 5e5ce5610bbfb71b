/** Documents by name: the same over HTTP and WebSocket, in every mode. */
import { createHash } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { StartupError } from "../../../src/domain/errors.js";
import { temporaryFolder } from "../../support/files.js";
import { type Answer, startServer, type TestServer, TOKEN } from "../test-server.js";
import { ask, connectSocket } from "../websocket/socket-client.js";

const HELLO = "query Hello($name: String) { hello(name: $name) }";
const WRITE = 'mutation Write { write(text: "a") }';
const TICKS = "subscription Ticks { ticks { number } }";

const hashOf = (text: string) => createHash("sha256").update(text).digest("hex");
const idOf = (text: string) => `sha256:${hashOf(text)}`;
const apq = (text: string) => ({ persistedQuery: { version: 1, sha256Hash: hashOf(text) } });

const MANIFEST = {
  [idOf(HELLO)]: HELLO,
  write: WRITE,
  [idOf(TICKS)]: TICKS,
  "x-shop:hello.2": HELLO,
};

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let file: string;
beforeAll(async () => {
  folder = await temporaryFolder("documents");
  file = await fileOf(MANIFEST);
});
afterAll(() => folder.remove());

async function fileOf(content: unknown): Promise<string> {
  const path = join(folder.path, `${Math.random()}.json`);
  await writeFile(path, typeof content === "string" ? content : JSON.stringify(content));
  return path;
}

/** Asks over one transport, in whatever way the parameters say. */
type Ask = (
  souk: TestServer,
  parameters: object,
  headers?: Record<string, string>,
) => Promise<Answer>;

const byPost: Ask = async (souk, parameters, headers) =>
  (await souk.post(parameters, headers)).body;
const byGet: Ask = async ({ graphql }, parameters, headers) => {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters))
    search.set(name, typeof value === "string" ? value : JSON.stringify(value));
  const response = await fetch(`${graphql}?${search}`, {
    headers: { "apollo-require-preflight": "1", ...headers },
  });
  return (await response.json()) as Answer;
};
const bySocket: Ask = async ({ live }, parameters, headers = {}) => {
  const client = await connectSocket(live, headers);
  try {
    // The protocol wants the member, and an empty text is none.
    return await ask(client, { query: "", ...parameters });
  } finally {
    await client.close();
  }
};
const TRANSPORTS = [
  ["POST", byPost],
  ["GET", byGet],
  ["WebSocket", bySocket],
] as const;

const codeOf = ({ errors }: Answer) => errors?.[0]?.extensions.code;
const AS_OPERATOR = { authorization: `Bearer ${TOKEN}` };

describe.each(TRANSPORTS)("over %s, where documents are allowed by name,", (_name, run) => {
  let souk: TestServer;
  beforeAll(async () => {
    souk = await startServer({ PERSISTED_DOCUMENTS_FILE: file });
  });
  afterAll(() => souk.close());

  test("A document of the manifest runs by hash or by its own id, with variables.", async () => {
    for (const documentId of [idOf(HELLO), "x-shop:hello.2"]) {
      expect(await run(souk, { documentId, variables: { name: "you" } })).toEqual({
        data: { hello: "Hello you" },
      });
    }
    expect(
      await run(souk, {
        documentId: idOf(HELLO),
        operationName: "Hello",
        extensions: { other: 1 },
      }),
    ).toEqual({
      data: { hello: "Hello world" },
    });
    expect(codeOf(await run(souk, { documentId: idOf(HELLO), operationName: "Other" }))).toBe(
      "BAD_USER_INPUT",
    );
  });

  test("An unknown document is PERSISTED_QUERY_NOT_FOUND, with a request id.", async () => {
    for (const parameters of [
      { documentId: idOf("{ nope }") },
      { documentId: "nope" },
      { documentId: "x-shop:nope" },
      { extensions: apq("{ nope }") },
    ]) {
      const answer = await run(souk, parameters);
      expect(answer).toMatchObject({
        errors: [
          { message: "PersistedQueryNotFound", extensions: { code: "PERSISTED_QUERY_NOT_FOUND" } },
        ],
      });
      expect(answer.errors?.[0]?.extensions.requestId).toMatch(/^[0-9a-f-]{36}$/);
      expect(answer).not.toHaveProperty("data");
    }
  });

  test("A document sent with its hash is found by hash or documentId, and no other.", async () => {
    const query = `{ ${_name}: hello }`;
    expect(codeOf(await run(souk, { extensions: apq(query) }))).toBe("PERSISTED_QUERY_NOT_FOUND");
    expect(codeOf(await run(souk, { query, extensions: apq("{ other }") }))).toBe("BAD_USER_INPUT");
    expect(codeOf(await run(souk, { extensions: apq("{ other }") }))).toBe(
      "PERSISTED_QUERY_NOT_FOUND",
    );
    const answer = { data: { [_name]: "Hello world" } };
    expect(await run(souk, { query, extensions: apq(query) })).toEqual(answer);
    for (const [, others] of TRANSPORTS) {
      expect(await others(souk, { extensions: apq(query) })).toEqual(answer);
      expect(await others(souk, { documentId: idOf(query) })).toEqual(answer);
    }
  });

  test("An invalid document is not kept.", async () => {
    for (const query of ["{ nope }", "{", `{ ${"category { ".repeat(11)} id ${"}".repeat(12)}`]) {
      expect(codeOf(await run(souk, { query, extensions: apq(query) }))).toMatch(/^GRAPHQL_/);
      expect(codeOf(await run(souk, { extensions: apq(query) }))).toBe("PERSISTED_QUERY_NOT_FOUND");
    }
  });

  test("A malformed id, or two documents at once, is BAD_USER_INPUT.", async () => {
    const wrong = [
      { documentId: "sha256:abc" },
      { documentId: idOf(HELLO).toUpperCase() },
      { documentId: "md5:0" },
      { documentId: "a b" },
      { documentId: "x".repeat(300) },
      { documentId: "" },
      { documentId: idOf(HELLO), query: HELLO },
      { extensions: { persistedQuery: { version: 2, sha256Hash: hashOf(HELLO) } } },
      { extensions: { persistedQuery: { version: 1, sha256Hash: 7 } } },
      { extensions: { persistedQuery: "yes" } },
    ];
    for (const parameters of wrong)
      expect([parameters, codeOf(await run(souk, parameters))]).toEqual([
        parameters,
        "BAD_USER_INPUT",
      ]);
  });
});

describe("over HTTP", () => {
  let souk: TestServer;
  beforeAll(async () => {
    souk = await startServer({ PERSISTED_DOCUMENTS_FILE: file });
  });
  afterAll(() => souk.close());

  test("A mutation runs by POST and not by GET.", async () => {
    expect(await byPost(souk, { documentId: "write" })).toEqual({ data: { write: "a" } });
    expect(codeOf(await byGet(souk, { documentId: "write" }))).toBe("METHOD_NOT_ALLOWED");
  });

  test("A page of another origin can neither run nor store a document by GET.", async () => {
    const simple = async (search: string) => {
      const response = await fetch(`${souk.graphql}?${search}`);
      return [response.status, codeOf((await response.json()) as Answer)];
    };
    expect(await simple(new URLSearchParams({ documentId: idOf(HELLO) }).toString())).toEqual([
      400,
      "BAD_USER_INPUT",
    ]);
    const query = "{ planted: hello }";
    expect(
      await simple(
        new URLSearchParams({ query, extensions: JSON.stringify(apq(query)) }).toString(),
      ),
    ).toEqual([400, "BAD_USER_INPUT"]);
    expect(codeOf(await byPost(souk, { extensions: apq(query) }))).toBe(
      "PERSISTED_QUERY_NOT_FOUND",
    );
  });

  test("An unknown name is status 200, as APQ clients want, and is never cached.", async () => {
    const { status, headers } = await souk.post(
      { extensions: apq("{ nope }") },
      { accept: "application/graphql-response+json" },
    );
    expect([status, headers.get("cache-control"), headers.get("content-type")]).toEqual([
      200,
      "no-store",
      "application/graphql-response+json; charset=utf-8",
    ]);
  });
});

test("Without names, clients of APQ are asked to send whole documents.", async () => {
  const souk = await startServer({ PERSISTED_DOCUMENTS: "off", PERSISTED_DOCUMENTS_FILE: file });
  onTestFinished(() => souk.close());
  for (const [, run] of TRANSPORTS) {
    for (const parameters of [
      { documentId: idOf(HELLO) },
      { extensions: apq(HELLO) },
      { query: HELLO, extensions: apq(HELLO) },
    ]) {
      expect(await run(souk, parameters)).toMatchObject({
        errors: [{ message: "PersistedQueryNotSupported", extensions: { code: "BAD_USER_INPUT" } }],
      });
    }
    expect(await run(souk, { query: HELLO })).toEqual({ data: { hello: "Hello world" } });
  }
});

describe.each(TRANSPORTS)("over %s, where only the manifest is run,", (_name, run) => {
  let souk: TestServer;
  beforeAll(async () => {
    souk = await startServer({ PERSISTED_DOCUMENTS: "only", PERSISTED_DOCUMENTS_FILE: file });
  });
  afterAll(() => souk.close());

  test("Documents of the manifest run, by any name and sent whole.", async () => {
    for (const parameters of [
      { documentId: idOf(HELLO) },
      { extensions: apq(HELLO) },
      { query: HELLO },
      { query: HELLO, extensions: apq(HELLO) },
    ]) {
      expect(await run(souk, parameters)).toEqual({ data: { hello: "Hello world" } });
    }
  });

  test("Other documents are FORBIDDEN, and the answer says what to do.", async () => {
    for (const query of [
      "{ hello }",
      `${HELLO} `,
      `# ${HELLO}`,
      "{",
      "{ nope }",
      "{ __typename }",
      "{ __schema { queryType { name } } }",
      "mutation { write }",
    ]) {
      const { errors } = await run(souk, { query });
      expect([query, errors?.[0]?.extensions.code, errors?.[0]?.message]).toEqual([
        query,
        "FORBIDDEN",
        expect.stringContaining("documentId"),
      ]);
    }
  });

  test("No document is added: one sent with its hash is FORBIDDEN, then unknown.", async () => {
    const query = "{ added: hello }";
    expect(codeOf(await run(souk, { query, extensions: apq(query) }))).toBe("FORBIDDEN");
    expect(codeOf(await run(souk, { extensions: apq(query) }))).toBe("PERSISTED_QUERY_NOT_FOUND");
    await run(souk, { query, extensions: apq(query) }, AS_OPERATOR);
    expect(codeOf(await run(souk, { extensions: apq(query) }, AS_OPERATOR))).toBe(
      "PERSISTED_QUERY_NOT_FOUND",
    );
  });

  test("The operator's token runs anything.", async () => {
    expect(await run(souk, { query: "{ whoAmI }" }, AS_OPERATOR)).toEqual({
      data: { whoAmI: "service" },
    });
  });
});

describe("where only the manifest is run,", () => {
  let souk: TestServer;
  beforeAll(async () => {
    souk = await startServer({ PERSISTED_DOCUMENTS: "only", PERSISTED_DOCUMENTS_FILE: file });
  });
  afterAll(() => souk.close());

  test("The manifest restricts subscriptions too.", async () => {
    const client = await connectSocket(souk.live);
    const messages = await client.run({ query: "", documentId: idOf(TICKS) });
    expect(messages.map(({ type }) => type)).toEqual(["next", "next", "complete"]);
    expect(await client.run({ query: "subscription { endless }" })).toMatchObject([
      { type: "error", payload: [{ extensions: { code: "FORBIDDEN" } }] },
    ]);
    await client.close();
  });

  test("Only the checked document runs, whatever is sent beside it.", async () => {
    const get = async (search: string) => {
      const response = await fetch(`${souk.graphql}?${search}`, {
        headers: { "apollo-require-preflight": "1" },
      });
      return codeOf((await response.json()) as Answer);
    };
    const [known, other] = [encodeURIComponent(HELLO), encodeURIComponent("{ whoAmI }")];
    expect([
      await get(`query=${known}&query=${other}`),
      await get(`query=${other}&query=${known}`),
    ]).toEqual(["BAD_USER_INPUT", "BAD_USER_INPUT"]);
    expect(await get(`documentId=write&documentId=${other}`)).toBe("BAD_USER_INPUT");
    expect(await get(`query[]=${other}`)).toBe("BAD_USER_INPUT");
    for (const body of [
      { query: [other] },
      { query: { kind: "Document" } },
      [{ query: "{ whoAmI }" }],
      '"{ whoAmI }"',
      { Query: "{ whoAmI }" },
    ]) {
      expect([body, codeOf((await souk.post(body)).body)]).toEqual([body, "BAD_USER_INPUT"]);
    }
    const { body } = await fetch(`${souk.graphql}?query=${other}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ documentId: idOf(HELLO) }),
    }).then(async (response) => ({ body: await response.json() }));
    expect(body).toEqual({ data: { hello: "Hello world" } });
  });

  test("No explorer is served unless it is asked for.", async () => {
    const page = (url: string) => fetch(url, { headers: { accept: "text/html" } });
    expect((await page(`${souk.url}/graphiql`)).status).toBe(404);
    const shown = await startServer({
      PERSISTED_DOCUMENTS: "only",
      PERSISTED_DOCUMENTS_FILE: file,
      EXPLORER: "graphiql",
    });
    onTestFinished(() => shown.close());
    expect((await page(`${shown.url}/graphiql`)).status).toBe(200);
  });
});

describe("a manifest", () => {
  const refusal = async (env: Record<string, string>): Promise<string> => {
    const error = await startServer(env).then(
      (souk) => souk.close().then(() => new Error("it started")),
      (reason: Error) => reason,
    );
    expect(error).toBeInstanceOf(StartupError);
    return error.message;
  };
  const refusalOf = async (content: unknown) =>
    refusal({ PERSISTED_DOCUMENTS_FILE: await fileOf(content) });

  test("A manifest may have Apollo's form.", async () => {
    const operations = [{ id: hashOf(HELLO), name: "Hello", type: "query", body: HELLO }];
    const apollo = await fileOf({
      format: "apollo-persisted-query-manifest",
      version: 1,
      operations,
    });
    const souk = await startServer({
      PERSISTED_DOCUMENTS: "only",
      PERSISTED_DOCUMENTS_FILE: apollo,
    });
    onTestFinished(() => souk.close());
    for (const parameters of [
      { extensions: apq(HELLO) },
      { documentId: idOf(HELLO) },
      { documentId: hashOf(HELLO) },
    ]) {
      expect(await byPost(souk, parameters)).toEqual({ data: { hello: "Hello world" } });
    }
  });

  test("A manifest that is needed and missing, unreadable or none stops the start.", async () => {
    expect(await refusal({ PERSISTED_DOCUMENTS: "only" })).toContain("PERSISTED_DOCUMENTS_FILE");
    expect(await refusal({ PERSISTED_DOCUMENTS_FILE: join(folder.path, "none.json") })).toContain(
      "none.json cannot be read",
    );
    expect(await refusalOf("{")).toContain("cannot be read");
    expect(await refusalOf({ hello: 7 })).toContain("is no manifest");
  });

  test("A manifest with an invalid document stops the start, which names it.", async () => {
    expect(await refusalOf({ ...MANIFEST, old: "query Old { nope }" })).toMatch(
      /Old \(old\) is not valid: Cannot query field "nope"/,
    );
    expect(await refusalOf({ broken: "{ hello" })).toMatch(/broken is not valid: Syntax Error/);
    expect(
      await refusalOf({
        deep: `query Deep { category { ${"parent { ".repeat(10)} id ${"} ".repeat(11)} }`,
      }),
    ).toContain("Deep (deep) is not valid");
    expect(await refusalOf({ [idOf("{ hello }")]: HELLO })).toContain(
      "by a hash that is not its own",
    );
  });
});
