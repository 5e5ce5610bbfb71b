/**
 * Staying within the limits of the shop, by waiting when they are reached.
 *
 * A request that was refused with 429 has done nothing and cost nothing, so it can be repeated as
 * it is, a write too. The answer says how long to wait: `extensions.retryAfterMs` of its error to
 * the millisecond, the header `Retry-After` in whole seconds.
 */

/** How patient a client is. */
export interface Patience {
  /** How often a request is repeated before its refusal is handed on. */
  readonly retries: number;
  /** The longest wait that is worth it; a longer one is handed on at once. */
  readonly longestWaitMs: number;
}

const PATIENCE: Patience = { retries: 3, longestWaitMs: 10_000 };

/** A fetch that waits and asks again where too much was asked for. */
export function createPatientFetch(
  { retries, longestWaitMs }: Patience = PATIENCE,
  send: typeof fetch = fetch,
): typeof fetch {
  return async (input, init) => {
    for (let repeated = 0; ; repeated++) {
      const response = await send(input, init);
      if (response.status !== 429 || repeated >= retries) return response;
      const waitMs = await waitOf(response);
      if (waitMs > longestWaitMs) return response;
      // Several that were refused together do not come back together.
      await new Promise((resolve) => setTimeout(resolve, waitMs + Math.random() * SPREAD_MS));
    }
  };
}

const SPREAD_MS = 50;

async function waitOf(response: Response): Promise<number> {
  const { errors = [] } = (await response.clone().json()) as {
    errors?: { extensions?: { retryAfterMs?: number } }[];
  };
  return (
    errors[0]?.extensions?.retryAfterMs ?? Number(response.headers.get("retry-after") ?? 1) * 1_000
  );
}
