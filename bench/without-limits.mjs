/**
 * Has Souk take everybody for nobody and ask nothing of anybody: `--import` it, and the server
 * measured is the same one without the look-up of sessions and without limits. Only the admission
 * is replaced; what a document costs is still known.
 */
import { register } from "node:module";

const ADMISSION = `
  const payer = { kind: "address", name: "", block: null };
  const bucket = { kind: "address", limit: 0, remaining: 0, restorePerSecond: 0 };
  const paid = (charge) => ({ charge, buckets: [bucket], settle: () => bucket });
  const principal = { kind: "anonymous" };
  export const REFUSED_COST = 10;
  export const createAdmission = () => ({
    readCredential: (token) =>
      token === undefined ? { kind: "none" } : { kind: "session", digest: "", userTag: null },
    payerOf: () => payer,
    recentlyRejected: () => false,
    check() {},
    admitAtOnce: (claim, charge) => paid(charge),
    admit: async (claim, charge) => ({ principal, paid: paid(charge) }),
    admitAgain: async (payer, charge, prove) => ({ proof: await prove(), paid: paid(charge) }),
    chargeRefused() {},
    chargeReading() {},
  });
`;
const HOOKS = `
  export async function load(url, context, next) {
    if (!url.endsWith("/services/rate-limit/admission.js")) return next(url, context);
    return { format: "module", source: ${JSON.stringify(ADMISSION)}, shortCircuit: true };
  }
`;
register(`data:text/javascript,${encodeURIComponent(HOOKS)}`);
