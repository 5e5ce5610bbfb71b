/** The first page: values follow subscriptions, buttons send mutations. */
import { createClient } from "./graphql-ws/client.js";

const READ_STATE_MS = 5_000;
/** Shown in any case; other parts where they are not well. */
const SERVERS = new Set(["redis", "postgres", "worker"]);
/** Longest wait between two attempts to connect. */
const RETRY_MS = 2_000;

const find = (id) => document.querySelector(`#${id}`);
const { path, operations, product, sandbox, adminToken, logins } = JSON.parse(
  find("souk").textContent,
);
const byName = new Map(operations.map((operation) => [operation.name, operation]));
let token = adminToken;

/** Makes an element; texts are never HTML. */
function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

const show = (id, value) => {
  find(id).textContent = value ?? "–";
};

const editorLink = ({ name }) =>
  make("a", { href: `/graphiql?operation=${name}`, target: "_blank" }, "Open in GraphiQL");

/** An operation with its variables, to be read and opened. */
function operationView(operation) {
  const variables = operation.variables ? `\n${JSON.stringify(operation.variables, null, 2)}` : "";
  return make(
    "details",
    {},
    make("summary", {}, "Operation"),
    make("pre", {}, `${operation.query}${variables}`),
  );
}

async function send({ query, variables, forAdmins }) {
  const response = await fetch(path, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      accept: "application/graphql-response+json, application/json",
      ...(forAdmins && token ? { authorization: `Bearer ${token}` } : {}),
    },
    body: JSON.stringify({ query, variables }),
  });
  return response.json();
}

const live = createClient({
  url: new URL(path, location.href).href.replace(/^http/, "ws"),
  lazy: false,
  retryAttempts: Number.POSITIVE_INFINITY,
  shouldRetry: () => true,
  retryWait: () => new Promise((done) => setTimeout(done, RETRY_MS)),
  on: {
    connected: () => show("connection", "Live."),
    closed: () => show("connection", "Not connected; trying again …"),
  },
});

/** Subscribes with a client, and lists the operation as running. */
function watch(client, name, onData) {
  const operation = byName.get(name);
  const state = make("span", {});
  find(`runs-${name}`)?.remove();
  find("running").append(
    make(
      "li",
      { id: `runs-${name}` },
      make("div", { className: "row" }, operation.title, state, editorLink(operation)),
      operationView(operation),
    ),
  );
  const { query, variables } = operation;
  client.subscribe(
    { query, variables },
    {
      next({ data, errors }) {
        state.textContent = errors ? errors[0].message : "";
        state.className = errors ? "bad" : "";
        if (data) onData(data);
      },
      error(problem) {
        state.textContent = Array.isArray(problem) ? problem[0].message : "The connection ended.";
        state.className = "bad";
      },
      complete() {},
    },
  );
}

const showProduct = ({ productChanged: { product: one } }) => {
  show("product-name", one ? one.name : "This product was removed.");
  show("stock", one?.stock);
};

const showStats = ({ productStatsChanged: { stats } }) => show("views", stats.views);

let isBoardShown = false;
const showBoard = ({ leaderboardChanged: { leaderboard, entries, total } }) => {
  isBoardShown = true;
  show("board-name", leaderboard.title);
  const place = entries.find(({ owner }) => owner === product);
  show("place", place ? `${place.rank} of ${total}, with ${place.score}` : "no score yet");
};

const showCart = ({ quantity }) => show("cart", quantity);

let isCartWatched = false;
/** Once there is a cart: its cookie has to be there when the socket is opened. */
function watchCart() {
  if (isCartWatched) return;
  isCartWatched = true;
  const client = createClient({
    url: new URL(path, location.href).href.replace(/^http/, "ws"),
    retryAttempts: Number.POSITIVE_INFINITY,
    shouldRetry: () => true,
    retryWait: () => new Promise((done) => setTimeout(done, RETRY_MS)),
  });
  watch(client, "WatchCart", ({ cartChanged }) => showCart(cartChanged));
}

/** Windows of this browser share its cart. */
const windows = new BroadcastChannel("souk");

function readCart() {
  return send(byName.get("ReadCart"))
    .then(({ data }) => {
      if (!data?.cart) return;
      showCart(data.cart);
      if (data.cart.version > 0) watchCart();
    })
    .catch(() => {});
}

/** A subscription to a board that is missing is refused, so the board comes first. */
async function watchBoard() {
  if (isBoardShown) return;
  if (token) await send(byName.get("MakeBoard")).catch(() => {});
  watch(live, "WatchBoard", showBoard);
}

const ACTIONS = [
  { name: "Restock" },
  { name: "CountView" },
  {
    name: "AddOne",
    after({ data }) {
      const cart = data?.addToCart?.cart;
      if (!cart) return;
      showCart(cart);
      watchCart();
      // Another window had no cart to watch until now.
      windows.postMessage("a cart is there");
    },
  },
  { name: "Score" },
];

const buttons = ACTIONS.map(({ name, after }) => {
  const operation = byName.get(name);
  const button = make("button", { type: "button" }, operation.title);
  const view = operationView(operation);
  button.addEventListener("click", async () => {
    for (const other of find("actions").querySelectorAll("details")) other.open = other === view;
    const answer = await send(operation).catch((error) => ({
      errors: [{ message: String(error) }],
    }));
    show("answer", JSON.stringify(answer, null, 2));
    after?.(answer);
  });
  find("actions").append(
    make("li", {}, make("div", { className: "row" }, button, editorLink(operation)), view),
  );
  return { button, operation };
});

/** Operations for admins wait for a token. */
function allowAdmin() {
  for (const { button, operation } of buttons)
    button.disabled = Boolean(operation.forAdmins) && !token;
  find("token-form").hidden = Boolean(token);
}

find("token-form").addEventListener("submit", (event) => {
  event.preventDefault();
  token = find("token").value.trim();
  allowAdmin();
  watchBoard();
});

function showAccess() {
  if (!adminToken && !logins) return;
  find("access").hidden = false;
  if (logins) show("logins", `${logins.emails.join(", ")} · password ${logins.password}`);
  if (adminToken) show("admin", `Authorization: Bearer ${adminToken}`);
}

async function readState() {
  const checks = await fetch("/readyz")
    .then((response) => response.json())
    .then((state) => Object.entries(state.checks))
    .catch(() => [["server", "does not answer"]]);
  find("state").replaceChildren(
    ...checks
      .filter(([name, state]) => SERVERS.has(name) || state !== "ok")
      .map(([name, state]) =>
        make("li", { className: state === "ok" ? "" : "bad" }, `${name}: ${state}`),
      ),
  );
}

allowAdmin();
showAccess();
find("sandbox-link").hidden = !sandbox;
watch(live, "Watch", showProduct);
watch(live, "WatchStats", showStats);
watchBoard();
readCart();
windows.addEventListener("message", readCart);
readState();
setInterval(readState, READ_STATE_MS);
