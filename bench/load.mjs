/** A closed load: so many requests under way at once, for so long, every answer checked. */
import { Pool } from "undici";

/**
 * Posts the operations over and over, in turn.
 * @returns requests answered and the seconds it took
 * @throws when an answer is not a 200 without errors
 */
export async function load(url, bodies, { connections, seconds, headers = {} }) {
  const { origin, pathname } = new URL(url);
  const pool = new Pool(origin, { connections, pipelining: 1 });
  const began = performance.now();
  const endsAt = began + 1_000 * seconds;
  let requests = 0;
  const one = async () => {
    while (performance.now() < endsAt) {
      const body = bodies[requests % bodies.length];
      requests += 1;
      await post(pool, { path: pathname, body, headers });
    }
  };
  try {
    await Promise.all(Array.from({ length: connections }, one));
  } finally {
    await pool.close();
  }
  return { requests, seconds: (performance.now() - began) / 1_000 };
}

async function post(pool, { path, body, headers }) {
  const answer = await pool.request({
    path,
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body,
  });
  const bytes = Buffer.from(await answer.body.arrayBuffer());
  // Errors come first in an answer, so the beginning tells.
  if (answer.statusCode !== 200 || bytes.subarray(0, 12).includes("errors"))
    throw new Error(`HTTP ${answer.statusCode}: ${bytes.subarray(0, 500)}`);
}

/** One operation, its data parsed. */
export async function ask(url, operation, headers = {}) {
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(operation),
  });
  const answer = await response.json();
  if (answer.errors) throw new Error(`${url}: ${JSON.stringify(answer.errors[0])}`);
  return answer.data;
}
