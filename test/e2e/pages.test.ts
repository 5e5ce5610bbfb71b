/** Pages on another port, in a real browser: what it keeps of a sign-in, and of a guest. */
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { SIGN_IN, type SignedIn, signUp } from "../support/accounts.js";
import { type RunningApp, startApp } from "../support/app.js";
import { hasBrowser, launchBrowser, servePage } from "../support/browser.js";
import { post } from "../support/graphql.js";

let app: RunningApp;
beforeAll(async () => {
  app = await startApp({ products: 20, roles: { api: true, worker: false } });
});
afterAll(() => app.close());

describe.runIf(hasBrowser)("in Chromium", () => {
  let browser: Browser;
  let site: Awaited<ReturnType<typeof servePage>>;
  let account: SignedIn;
  beforeAll(async () => {
    [browser, site, account] = await Promise.all([launchBrowser(), servePage(), signUp(app.url)]);
  });
  afterAll(async () => {
    site?.close();
    await browser?.close();
  });

  /** A page under one name of this machine that calls Souk under another. */
  async function openPage(name: string, soukName: string) {
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.goto(`http://${name}:${site.port}/`);
    const url = `http://${soukName}:${new URL(app.url).port}/graphql`;
    return {
      page,
      url,
      ask: (query: string, variables: object = {}, headers: Record<string, string> = {}) =>
        askFrom(page, { url, query, variables, headers }),
      close: () => context.close(),
    };
  }
  const credentials = () => ({ input: { email: account.email, password: account.password } });
  const viewer = (email: string) => ({ data: { viewer: { email } } });

  it("A page on another port signs in by cookie, and is known over HTTP and WebSocket.", async () => {
    const shop = await openPage("localhost", "localhost");
    const { body } = await shop.ask(SIGN_IN, credentials());
    expect(body).toMatchObject({ data: { signIn: { token: null, errors: [] } } });
    expect((await shop.ask("{ viewer { email } }")).body).toMatchObject(viewer(account.email));
    const overSocket = await shop.page.evaluate(askOverSocket, shop.url.replace("http", "ws"));
    expect(overSocket).toMatchObject(viewer(account.email));
    await shop.close();
  });

  it("A page on localhost that calls 127.0.0.1 gets the user error, and signs in by token.", async () => {
    const shop = await openPage("localhost", "127.0.0.1");
    expect((await shop.ask(SIGN_IN, credentials())).body).toEqual({
      data: {
        signIn: {
          viewer: null,
          token: null,
          errors: [{ code: "INVALID", field: ["input", "deliver"] }],
        },
      },
      extensions: expect.anything(),
    });
    const input = { ...credentials().input, deliver: "TOKEN" };
    const { body } = await shop.ask(SIGN_IN, { input });
    const { token } = (body as { data: { signIn: { token: string } } }).data.signIn;
    const headers = { authorization: `Bearer ${token}` };
    expect((await shop.ask("{ viewer { email } }", {}, headers)).body).toMatchObject(
      viewer(account.email),
    );
    await shop.close();
  });

  it("A guest of another site is known by the header Souk-Guest alone.", async () => {
    const shop = await openPage("localhost", "127.0.0.1");
    const id = await productInStock();
    const add = (headers?: Record<string, string>) => shop.ask(ADD, { id }, headers);
    const first = await add();
    const stranger = await add();
    expect(first.guest).toBeTruthy();
    expect(stranger.guest).not.toBe(first.guest);
    const { body, guest } = await add({ "souk-guest": first.guest! });
    expect(guest).toBeNull();
    expect(body).toMatchObject({ data: { addToCart: { cart: { quantity: 2 } } } });
    await shop.close();
  });
});

it("Without a browser this run says that no page was opened in one.", async ({ annotate }) => {
  if (!hasBrowser)
    await annotate("No Chromium was found: no page signed in from another port.", "warning");
});

const ADD = "mutation Add($id: ID!) { addToCart(productId: $id) { cart { quantity } } }";

async function productInStock(): Promise<string> {
  const { data } = await post(
    app.url,
    "{ products(first: 1, filter: { inStock: true }) { edges { node { id } } } }",
  );
  return String(data.products!.edges![0]!.node!.id);
}

interface PageRequest {
  readonly url: string;
  readonly query: string;
  readonly variables: object;
  readonly headers: Record<string, string>;
}

/** Asks from within a page, with its cookies. */
const askFrom = (page: Page, asked: PageRequest) =>
  page.evaluate(async ({ url, query, variables, headers }) => {
    const response = await fetch(url, {
      method: "POST",
      credentials: "include",
      headers: { "content-type": "application/json", ...headers },
      body: JSON.stringify({ query, variables }),
    });
    return { body: (await response.json()) as unknown, guest: response.headers.get("souk-guest") };
  }, asked);

/** Runs in the page: asks who is signed in, over a WebSocket. */
const askOverSocket = (url: string): Promise<unknown> =>
  new Promise((resolve, reject) => {
    const socket = new WebSocket(url, "graphql-transport-ws");
    const send = (message: object) => socket.send(JSON.stringify(message));
    socket.onopen = () => send({ type: "connection_init" });
    socket.onclose = ({ code }) => reject(new Error(`closed with ${code}`));
    socket.onmessage = ({ data }) => {
      const { type, payload } = JSON.parse(String(data)) as { type: string; payload: unknown };
      if (type === "connection_ack")
        send({ id: "1", type: "subscribe", payload: { query: "{ viewer { email } }" } });
      if (type === "next") resolve(payload);
    };
  });
