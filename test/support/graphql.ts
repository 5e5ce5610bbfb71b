/** A plain GraphQL client for tests: one POST, everything of the answer. */
import { until } from "./until.js";

/** An answer over HTTP. */
export interface Answer {
  // Tests look into answers by path; each asserts what it takes out.
  readonly data: Data;
  readonly errors?: readonly {
    readonly message: string;
    readonly extensions: { readonly code: string; readonly requestId: string };
  }[];
  readonly extensions?: { readonly cache?: { readonly status: string; readonly ageMs: number } };
  readonly status: number;
  /** The consistency token of the answer. */
  readonly seen: string | null;
  /** The token of the guest that was made. */
  readonly guest: string | null;
}

/** Data of an answer, whose shape the query of the test says. */
export type Data = { readonly [field: string]: Data } & { readonly [index: number]: Data } & Leaf;
type Leaf = { readonly length: number; map<T>(each: (item: Data) => T): T[] };

/** Sends one operation. `seen` is a consistency token to read by. */
export async function post(
  url: string,
  query: string,
  variables: Record<string, unknown> = {},
  {
    token,
    seen,
    headers = {},
  }: { token?: string; seen?: string | null; headers?: Record<string, string> } = {},
): Promise<Answer> {
  const response = await fetch(url, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      ...(token ? { authorization: `Bearer ${token}` } : {}),
      ...(seen ? { "souk-seen": seen } : {}),
      ...headers,
    },
    body: JSON.stringify({ query, variables }),
  });
  return {
    ...((await response.json()) as Answer),
    status: response.status,
    seen: response.headers.get("souk-seen"),
    guest: response.headers.get("souk-guest"),
  };
}

/**
 * Repeats an operation while it answers SERVICE_UNAVAILABLE, which a busy machine may cause. For
 * what the contract calls safe to repeat: reads, and writes that change nothing the second time.
 */
export const patiently = (ask: () => Promise<Answer>): Promise<Answer> =>
  until("an answer", async () => {
    const answer = await ask();
    return answer.errors?.some(({ extensions }) => extensions.code === "SERVICE_UNAVAILABLE")
      ? null
      : answer;
  });

/** Sum of a metric's samples whose labels include `labels`, as /metrics of the server shows it. */
export async function metric(url: string, name: string, labels = ""): Promise<number> {
  const text = await (await fetch(new URL("/metrics", url))).text();
  return text
    .split("\n")
    .filter((line) => line.startsWith(name) && line.includes(labels) && !line.startsWith("#"))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" ") + 1)), 0);
}

/** What /readyz of the server says: its status, and the state of each part. */
export async function readyz(
  url: string,
): Promise<{ status: string; missing: string[]; checks: Record<string, string> }> {
  return (await (await fetch(new URL("/readyz", url))).json()) as Awaited<
    ReturnType<typeof readyz>
  >;
}

/** True once the server reads through Redis. */
export const cacheIsUsed = async (url: string): Promise<boolean> =>
  (await readyz(url)).checks.cache === "ok";

/**
 * Runs a check, again where the limiter did without Redis meanwhile, as it may on a busy machine:
 * each process counts by itself then.
 */
export async function whileLimitsAreShared(url: string, check: () => Promise<void>): Promise<void> {
  const uses = () => metric(url, "souk_degraded_uses_total", 'part="limiter"');
  for (;;) {
    const before = await uses();
    const failure = await check().then(
      () => null,
      (error: unknown) => ({ error }),
    );
    if (!failure) return;
    if ((await uses()) === before) throw failure.error;
  }
}
