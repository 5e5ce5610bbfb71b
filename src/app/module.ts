/**
 * What a subject offers to the application. A subject is one
 * file of this folder and one line in subjects.ts; the rest of
 * this folder is built from it.
 */
import type { Logger } from "pino";
import type { Config } from "../config/config.js";
import type { ConfigPart } from "../config/part.js";
import type { ReadContext } from "../domain/reading/read-context.js";
import type { JobOptions } from "../jobs/runner.js";
import type { Loaders } from "../loaders/loaders.js";
import type { Streams, TopicAdmission } from "../resolvers/events.js";
import type { BeginReads } from "../resolvers/reads-ahead.js";
import type { ResolverClass } from "../schema/build-schema.js";
import type { OutboxKind } from "../services/outbox/kind.js";
import type { GaugeSource } from "../telemetry/metrics-sources.js";
import type { Disposer } from "./disposer.js";
import type { Infrastructure } from "./infrastructure.js";
import type { Check } from "./readiness.js";

/** What the process is opened with. */
export interface Opening {
  readonly infrastructure: Infrastructure;
  readonly config: Config;
  readonly log: Logger;
  /** Closes what is opened. */
  readonly disposer: Disposer;
}

/** What a subject is opened with. */
export interface OpenOptions<Settings extends object = object> extends Opening {
  /** What {@link Subject.config} made of the environment. */
  readonly settings: Settings;
}

/** A subject: its declarations, and how it is opened. */
export interface Subject<Services extends object = object, Settings extends object = object> {
  /** Singular; the same in every room. */
  readonly name: string;
  /** Its variables of the environment. */
  readonly config?: ConfigPart<Settings>;
  /** Its resolver classes; the schema is built from them. */
  readonly resolvers: readonly ResolverClass[];
  /** Opens what both API and worker need of it. */
  open(options: OpenOptions<Settings>): Module<Services>;
}

/** An opened subject. */
export interface Module<Services extends object = object> {
  /** Topic kinds on which its outbox rows publish. */
  readonly topics?: readonly string[];
  /** Handlers of its outbox rows. */
  readonly outbox?: readonly OutboxKind[];
  /** What the readiness probe asks. */
  readonly checks?: readonly Check[];
  /** What a scrape of the metrics reads. */
  readonly gauges?: readonly GaugeSource[];
  /** Its background jobs; only a worker asks for them. */
  readonly jobs?: () => readonly JobOptions[];
  /**
   * Opens what only an API needs. `use` answers the services of an
   * earlier subject.
   */
  readonly serve?: (use: UseServices) => Served<Services> | Promise<Served<Services>>;
}

/** What an API needs of a subject. */
export interface Served<Services extends object = object> {
  /** What later subjects use. */
  readonly services: Services;
  /** One instance of each class in {@link Subject.resolvers}. */
  readonly resolvers: readonly object[];
  /** Its loaders of one operation. */
  readonly loaders?: (reading: ReadContext) => Partial<Loaders>;
  /** Its reads that may begin before a caller is confirmed. */
  readonly beginReads?: BeginReads;
  /**
   * Streams of its subscriptions, by topic kind. Other kinds are
   * watched as values.
   */
  readonly streams?: Streams;
  /** Checks before values of a topic kind are watched. */
  readonly admission?: TopicAdmission;
}

/** A subject and what it opened. */
export interface OpenSubject {
  readonly subject: Subject;
  readonly module: Module;
}

/**
 * The services of a subject that is served already. Throws for a
 * later one.
 */
export type UseServices = <Services extends object>(subject: Subject<Services>) => Services;

/** Lets the compiler infer what a subject serves, and its settings. */
export const defineSubject = <Services extends object, Settings extends object = object>(
  subject: Subject<Services, Settings>,
): Subject<Services> => subject;

/** Serves subjects in their order; each can use earlier ones. */
export async function serveAll(
  subjects: readonly OpenSubject[],
): Promise<{ readonly served: readonly Served[]; readonly use: UseServices }> {
  const bySubject = new Map<Subject<never>, Served>();
  const use: UseServices = (subject) => {
    const served = bySubject.get(subject as Subject<never>);
    if (!served) throw new Error(`The subject ${subject.name} is not served yet.`);
    // The map holds under a subject what that subject served.
    return served.services as ReturnType<typeof use> as never;
  };
  for (const { subject, module } of subjects) {
    const served = await module.serve?.(use);
    if (served) bySubject.set(subject as Subject<never>, served);
  }
  return { served: [...bySubject.values()], use };
}
