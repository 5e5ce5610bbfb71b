/** Accounts, their sessions, and what ends them. */

import { type AccountSettings, accountConfig } from "../config/account.js";
import { createAuditTable } from "../db/account/audit.js";
import { createAuditPages } from "../db/account/audit-pages.js";
import { createUserDirectory } from "../db/account/directory.js";
import { createRevocationTable } from "../db/account/revocations.js";
import { createUserTable } from "../db/account/users.js";
import { pruneJob } from "../jobs/prune.js";
import { createAccountLoaders } from "../loaders/account.js";
import { createAttempts } from "../redis/attempts/attempts.js";
import { createSessionStore } from "../redis/session/session.js";
import { AccountMutations } from "../resolvers/account/account.js";
import { AuditLogConnectionResolver, AuditLogResolver } from "../resolvers/account/audit-log.js";
import { AccountLookUpResolver, UserConnectionResolver } from "../resolvers/account/look-ups.js";
import { RevocationMutations } from "../resolvers/account/revocation.js";
import { ViewerResolver } from "../resolvers/account/viewer.js";
import { createAccounts } from "../services/account/accounts.js";
import { createFailClosed } from "../services/account/fail-closed.js";
import { createAccountLookUps } from "../services/account/look-ups.js";
import { createRevocationKind } from "../services/account/outbox-kind.js";
import { createPasswords } from "../services/account/passwords.js";
import { createRefusedSignIns } from "../services/account/refused-sign-ins.js";
import { createApplyRevocation, createRevocations } from "../services/account/revocations.js";
import { watchSessionEnds } from "../services/account/session-ends.js";
import { createSessionReload } from "../services/account/session-reload.js";
import { createSessions } from "../services/account/sessions.js";
import { createSignInGuard, type SignInTelemetry } from "../services/account/sign-in-guard.js";
import type { Metrics } from "../telemetry/metrics.js";
import { activity } from "./activity.js";
import { cart } from "./cart.js";
import { SESSION_DEADLINE_MS } from "./infrastructure.js";
import { defineSubject, type OpenOptions } from "./module.js";

export const account = defineSubject({
  name: "account",
  config: accountConfig,
  resolvers: [
    ViewerResolver,
    AccountMutations,
    RevocationMutations,
    AccountLookUpResolver,
    UserConnectionResolver,
    AuditLogResolver,
    AuditLogConnectionResolver,
  ],
  open(options) {
    const foundations = openAccountFoundations(options);
    const { revocationTable, audit, applyRevocation, failClosed } = foundations;
    return {
      outbox: [createRevocationKind({ apply: applyRevocation, failClosed })],
      jobs: () => [pruneJob("revocations", revocationTable), pruneJob("audit", audit)],
      async serve(use) {
        const { cache, database } = options.infrastructure;
        const users = createUserTable(database);
        const onUsed = use(activity).used;
        const { sessions, ends } = await serveSessions(options, foundations, onUsed);
        const revocations = serveRevocations(options, foundations);
        const accounts = serveAccounts(options, { ...foundations, users, sessions, revocations });
        const { carts } = use(cart);
        const lookUps = createAccountLookUps({
          directory: createUserDirectory(database),
          auditPages: createAuditPages(database),
          users,
          sessions,
          log: options.log,
        });
        return {
          services: { sessions, ends },
          loaders: (reading) => createAccountLoaders({ cache, users }, reading),
          resolvers: [
            new ViewerResolver(sessions),
            new AccountMutations(accounts, revocations, carts),
            new RevocationMutations(revocations),
            new AccountLookUpResolver(lookUps),
            new UserConnectionResolver(lookUps),
            new AuditLogResolver(lookUps),
            new AuditLogConnectionResolver(lookUps),
          ],
        };
      },
    };
  },
});

type AccountFoundations = ReturnType<typeof openAccountFoundations>;

/** Where sessions live, and what ends them. */
function openAccountFoundations({ infrastructure, settings }: OpenOptions<AccountSettings>) {
  const { database, outboxTable, callers, keys, pubsub } = infrastructure;
  const caller = callers.of("session", {
    deadlineMs: SESSION_DEADLINE_MS,
    degraded: { part: "sessions", instead: "requests with a session are refused" },
  });
  const store = createSessionStore(caller, keys, settings.sessions);
  const revocationTable = createRevocationTable(database);
  return {
    store,
    revocationTable,
    audit: createAuditTable(database, settings.audit),
    applyRevocation: createApplyRevocation(store, pubsub),
    failClosed: createFailClosed({ database, outboxTable, revocations: revocationTable }),
  };
}

async function serveSessions(
  {
    infrastructure: { outboxTable, pubsub },
    settings,
    log,
    disposer,
  }: OpenOptions<AccountSettings>,
  { store, revocationTable: revocations, failClosed }: AccountFoundations,
  onUsed: (userId: number) => void,
) {
  const trust = createSessionReload({ store, revocations, outboxTable, failClosed, log });
  disposer.add(() => trust.close());
  const { noteEveryMs } = settings.sessions;
  const sessions = createSessions({ store, trust, pubsub, noteEveryMs, onUsed });
  const ends = await watchSessionEnds(pubsub, log);
  disposer.add(() => ends.close());
  return { sessions, ends };
}

function serveRevocations(
  { infrastructure: { database, outboxTable }, settings }: OpenOptions<AccountSettings>,
  { store, revocationTable: table, audit, applyRevocation: apply }: AccountFoundations,
) {
  const { capMs } = settings.sessions;
  return createRevocations({ database, table, outboxTable, store, apply, audit, capMs });
}

type AccountDeps = Pick<AccountFoundations, "audit"> &
  Pick<Parameters<typeof createAccounts>[0], "users" | "sessions" | "revocations">;

function serveAccounts(
  {
    infrastructure: { database, callers, keys, metrics },
    settings,
    log,
    disposer,
  }: OpenOptions<AccountSettings>,
  deps: AccountDeps,
) {
  const { users, sessions, revocations, audit } = deps;
  const refused = createRefusedSignIns({ table: audit, log });
  disposer.add(() => refused.close());
  const caller = callers.of("attempts", {
    deadlineMs: SESSION_DEADLINE_MS,
    degraded: { part: "signIns", instead: "sign-ins are refused" },
  });
  const attempts = createAttempts(caller, keys, settings.attempts);
  const guard = createSignInGuard(attempts, signInMetrics(metrics));
  const passwords = createPasswords(settings.passwords);
  return createAccounts({
    database,
    users,
    passwords,
    sessions,
    revocations,
    guard,
    audit,
    refused,
  });
}

function signInMetrics(metrics: Metrics): SignInTelemetry {
  const attempts = metrics.counter({
    name: "souk_sign_ins_total",
    help: "Attempts to sign in or up: let in, refused by a bucket, and right.",
    labelNames: ["what", "outcome"],
  });
  return { signIn: (what, outcome) => attempts({ what, outcome }) };
}
