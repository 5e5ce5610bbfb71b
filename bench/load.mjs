/** A closed load: so many requests under way at once, for so long, every answer checked. */
import { Pool } from "undici";

/** Longer than any answer takes: a server that hangs does not hang the bench. */
const DEADLINE_MS = 30_000;

/**
 * Posts the operations over and over, in turn.
 * @returns requests answered and the seconds it took
 * @throws when an answer is not a 200 without errors
 */
export async function load(url, bodies, options) {
  const requests = bodies.map((body) => ({ method: "POST", body }));
  const { failure, ...done } = await loadRequests(url, requests, options);
  if (failure) throw new Error(failure);
  return done;
}

/**
 * Sends the requests over and over, in turn.
 * @param requests each with `method`, `body` or `search`, and `isRight(bytes)` where more than
 *   "no errors" is known of its answer
 * @returns `requests` answered as they should be, those that `failed`, the first `failure` as text,
 *   and the seconds it took
 */
export async function loadRequests(url, requests, { connections, seconds, headers = {} }) {
  const { origin, pathname } = new URL(url);
  const timeouts = { headersTimeout: DEADLINE_MS, bodyTimeout: DEADLINE_MS };
  const pool = new Pool(origin, { connections, pipelining: 1, ...timeouts });
  const began = performance.now();
  const endsAt = began + 1_000 * seconds;
  let sent = 0;
  let failed = 0;
  let failure;
  const one = async () => {
    while (performance.now() < endsAt) {
      const request = requests[sent % requests.length];
      sent += 1;
      try {
        await send(pool, {
          ...request,
          path: pathname + (request.search ?? ""),
          headers: { ...headers, ...request.headers },
        });
      } catch (error) {
        failed += 1;
        failure ??= error.message;
      }
    }
  };
  try {
    await Promise.all(Array.from({ length: connections }, one));
  } finally {
    await pool.close();
  }
  return {
    requests: sent - failed,
    failed,
    failure,
    seconds: (performance.now() - began) / 1_000,
  };
}

async function send(pool, { method, path, body, headers, status = 200, isRight = hasNoErrors }) {
  const answer = await pool.request({
    path,
    method,
    headers: { "content-type": "application/json", ...headers },
    body,
  });
  const bytes = Buffer.from(await answer.body.arrayBuffer());
  if (answer.statusCode !== status || !isRight(bytes))
    throw new Error(`HTTP ${answer.statusCode}: ${bytes.subarray(0, 500)}`);
}

// Errors come first in an answer, so the beginning tells.
const hasNoErrors = (bytes) => !bytes.subarray(0, 12).includes("errors");

/** One operation, its data parsed. */
export async function ask(url, operation, headers = {}) {
  return (await askText(url, { method: "POST", body: JSON.stringify(operation) }, headers)).data;
}

/** One request as {@link loadRequests} sends it: its data parsed, and its text. */
export async function askText(url, { method, body, search = "" }, headers = {}) {
  const response = await fetch(url + search, {
    method,
    headers: { "content-type": "application/json", ...headers },
    body,
    signal: AbortSignal.timeout(DEADLINE_MS),
  });
  const text = await response.text();
  const answer = parse(text);
  if (!response.ok || answer?.errors || !answer?.data)
    throw new Error(`${url}: HTTP ${response.status}: ${text.slice(0, 500)}`);
  const { headers: told } = response;
  return { data: answer.data, text, limits: told.get("ratelimit"), etag: told.get("etag") };
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    // The caller shows the text.
    return null;
  }
}
