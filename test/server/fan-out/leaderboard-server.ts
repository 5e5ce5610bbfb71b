/**
 * A real server over a schema of snapshots whose values and events a test steers. Some answers
 * differ by who asks: `whoAmI` and the `hint` of a Pearl are the viewer's (one undeclared, one
 * declared by nobody), `myRole` is the role's, everything else is anybody's.
 */
import {
  buildSchema,
  type GraphQLInterfaceType,
  type GraphQLObjectType,
  type GraphQLSchema,
  type GraphQLUnionType,
} from "graphql";
import {
  ANONYMOUS,
  type Principal,
  SERVICE,
  type UserPrincipal,
} from "../../../src/domain/account/principal.js";
import type { Role } from "../../../src/domain/account/user.js";
import { BadUserInput } from "../../../src/domain/errors.js";
import type { RequestContext } from "../../../src/resolvers/context.js";
import type { ServerDeps } from "../../../src/server/server.js";
import { startServer, type TestServer, TOKEN } from "../test-server.js";

const SDL = /* GraphQL */ `
  type Query { ok: Boolean }
  type Subscription { board(slugs: [String!]!, filler: Int = 0, style: Style): Board! }
  input Style { dark: Boolean, font: String }
  interface Thing { id: ID! hint: String! }
  type Gem implements Thing { id: ID! hint: String! board: Board! }
  type Pearl implements Thing { id: ID! hint: String! board: Board! }
  union Either = Gem | Pearl
  type Board {
    slug: String!
    version: Int!
    filler: String!
    growing: String!
    whoAmI: String!
    myRole: String!
    thing: Thing!
    either: Either!
    self: Board!
  }
`;

/** What fields declare; those that are missing declare nothing. */
const DECLARED: Record<string, Record<string, { scope?: string; delivery?: string }>> = {
  Subscription: { board: { scope: "PUBLIC", delivery: "SNAPSHOT" } },
  Thing: { id: { scope: "PUBLIC" }, hint: { scope: "PUBLIC" } },
  Gem: { id: { scope: "PUBLIC" }, hint: { scope: "PUBLIC" }, board: { scope: "PUBLIC" } },
  Pearl: { id: { scope: "PUBLIC" }, board: { scope: "PUBLIC" } },
  Board: {
    ...Object.fromEntries(
      ["slug", "version", "filler", "growing", "thing", "either", "self"].map((name) => [
        name,
        { scope: "PUBLIC" },
      ]),
    ),
    myRole: { scope: "ROLE" },
  },
};

/** The values behind the subscription. */
export class Boards {
  /** Sources that are open, and that ever were. */
  open = 0;
  opened = 0;
  /** Values read so far. */
  reads = 0;
  private readonly versions = new Map<string, number>();
  private readonly sources = new Set<Source>();
  private gate: Promise<void> = Promise.resolve();
  /** What the fallback answers, while it does. */
  private flushed: ReadonlyMap<string, number> | null = null;

  /** Changes a value without telling anybody, as a publication does that is still on its way. */
  set(slug: string, version: number): void {
    this.versions.set(slug, version);
  }

  /** Tells those who watch. */
  tell(slug: string): void {
    for (const source of this.sources) source.tell(slug);
  }

  publish(slug: string, version: number): void {
    this.set(slug, version);
    this.tell(slug);
  }

  /** Ends all sources, by a failure if there is one. */
  end(failure?: Error): void {
    for (const source of [...this.sources]) source.end(failure);
  }

  /**
   * Holds back every value that is read from now on, as it was when it was read. Returns what lets
   * them go.
   */
  hold(): () => void {
    let release = () => {};
    this.gate = new Promise((resolve) => {
      release = () => resolve();
    });
    return release;
  }

  watch(slugs: readonly string[]): AsyncIterableIterator<unknown> {
    if (slugs.length === 0) throw new BadUserInput("There is nothing to watch.", ["slugs"]);
    this.opened += 1;
    this.open += 1;
    const source = new Source(slugs, () => {
      if (this.sources.delete(source)) this.open -= 1;
    });
    this.sources.add(source);
    return source;
  }

  /** Has reads answer the values as they are now, by a fallback. Returns what ends that. */
  fallBack(): () => void {
    const flushed = new Map(this.versions);
    this.flushed = flushed;
    return () => {
      if (this.flushed === flushed) this.flushed = null;
    };
  }

  async read(slug: string, { reading }: Pick<RequestContext, "reading">) {
    this.reads += 1;
    if (this.flushed) reading.recordFallback();
    const version = (this.flushed ?? this.versions).get(slug) ?? 0;
    await this.gate;
    return { slug, version };
  }
}

/** Events of some boards: each is due once at first, then whenever it is told; the latest wins. */
class Source implements AsyncIterableIterator<unknown> {
  private readonly due: Set<string>;
  private over: { readonly failure: Error | undefined } | null = null;
  private wake = () => {};

  constructor(
    slugs: readonly string[],
    private readonly closed: () => void,
  ) {
    this.due = new Set(slugs);
  }

  tell(slug: string): void {
    this.due.add(slug);
    this.wake();
  }

  end(failure: Error | undefined): void {
    this.over ??= { failure };
    this.closed();
    this.wake();
  }

  async next(): Promise<IteratorResult<unknown>> {
    for (;;) {
      const [slug] = this.due;
      if (slug !== undefined && this.due.delete(slug)) return { done: false, value: { id: slug } };
      if (this.over?.failure) throw this.over.failure;
      if (this.over) return { done: true, value: undefined };
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
  }

  async return(): Promise<IteratorResult<unknown>> {
    this.due.clear();
    this.end(undefined);
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}

type Resolve = (source: never, args: never, context: RequestContext) => unknown;

/** Who a context is made for, in one word. */
export const whoIs = ({ principal }: Pick<RequestContext, "principal">): string =>
  principal.kind === "user" ? `user ${principal.userId}` : principal.kind;

const roleOf = ({ kind, ...rest }: Principal): string =>
  "role" in rest ? String(rest.role) : kind === "service" ? "ADMIN" : "none";

function resolversOf(boards: Boards): Record<string, Record<string, Resolve>> {
  const self = (board: unknown) => board;
  return {
    Board: {
      filler: ({ filler }: { filler: number }) => "x".repeat(filler),
      growing: ({ filler, version }: { filler: number; version: number }) =>
        "x".repeat(filler * version),
      whoAmI: (_, __, context) => whoIs(context),
      myRole: (_, __, { principal }) => roleOf(principal),
      thing: (board: { version: number }) => ({
        __typename: board.version % 2 ? "Pearl" : "Gem",
        id: "t",
        board,
      }),
      either: (board: { version: number }) => ({
        __typename: board.version % 2 ? "Gem" : "Pearl",
        id: "e",
        board,
      }),
      self,
    },
    Gem: { hint: () => "anybody may know" },
    Pearl: { hint: (_, __, context) => `only ${whoIs(context)} may know` },
    Subscription: {
      board: async ({ id }: { id: string }, { filler }: { filler: number }, context) => ({
        ...(await boards.read(id, context)),
        filler,
      }),
    },
  };
}

/** The schema, over values of its own. */
export function boardSchema(): { schema: GraphQLSchema; boards: Boards } {
  const schema = buildSchema(SDL);
  const boards = new Boards();
  const each = <T>(
    table: Record<string, Record<string, T>>,
    apply: (value: T, field: object) => void,
  ) => {
    for (const [type, fields] of Object.entries(table)) {
      const known = (schema.getType(type) as GraphQLObjectType).getFields();
      for (const [name, value] of Object.entries(fields)) apply(value, known[name]!);
    }
  };
  each(resolversOf(boards), (resolve, field) => Object.assign(field, { resolve }));
  each(DECLARED, (extensions, field) => Object.assign(field, { extensions }));
  const subscribe = (_: unknown, { slugs }: { slugs: string[] }) => boards.watch(slugs);
  Object.assign(schema.getSubscriptionType()!.getFields().board!, { subscribe });
  for (const name of ["Thing", "Either"]) {
    const type = schema.getType(name) as GraphQLInterfaceType | GraphQLUnionType;
    type.resolveType = ({ __typename }: { __typename: string }) => __typename;
  }
  return { schema, boards };
}

/** Tokens sign users in: `CUSTOMER 7` is user 7. */
export function userOf(token: string): UserPrincipal | null {
  const [, role, id] = /^(CUSTOMER|ADMIN)-(\d+)$/.exec(token) ?? [];
  if (!id) return null;
  const session = { userTag: `tag-${id}`, sessionId: `session-${id}`, leftMs: 60_000 };
  return { kind: "user", userId: Number(id), role: role as Role, ...session };
}

/** A server of boards. */
export interface BoardServer extends TestServer {
  readonly boards: Boards;
  /** Look-ups of sessions over open sockets. */
  readonly lookups: string[];
  /** Sessions that have ended: found out by the next look-up. */
  readonly endedSessions: Set<string>;
  /** A number of the metrics. */
  metric(name: string): Promise<number>;
}

/** Starts a server of boards. */
export async function startBoards(
  env: Record<string, string> = {},
  deps: Partial<ServerDeps> = {},
): Promise<BoardServer> {
  const { schema, boards } = boardSchema();
  const lookups: string[] = [];
  const endedSessions = new Set<string>();
  const server = await startServer(env, {
    schema,
    authenticate: async (token) =>
      token === undefined ? ANONYMOUS : token === TOKEN ? SERVICE : (userOf(token) ?? "invalid"),
    sessions: {
      async confirm(principal) {
        lookups.push(principal.sessionId);
        return endedSessions.has(principal.sessionId) ? null : principal;
      },
      onEnded: () => () => {},
    },
    ...deps,
  });
  const metric = async (name: string) =>
    Number(
      new RegExp(`^${name} (\\d+)$`, "m").exec((await server.metrics.render()).text)?.[1] ??
        Number.NaN,
    );
  return { ...server, boards, lookups, endedSessions, metric };
}
