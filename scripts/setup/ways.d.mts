/** See ways.mjs. */
export interface Machine {
  readonly platform: string;
  readonly arch: string;
  readonly isRoot: boolean;
  readonly isMusl: boolean;
  readonly commands: readonly string[];
  readonly engine: string | null;
  readonly onTerminal: boolean;
  readonly saysYes: boolean;
}

export interface Way {
  readonly name: string;
  readonly command: string;
  readonly inside?: boolean;
}

export declare const VERSIONS: Readonly<
  Record<"postgres" | "redisBuilder" | "redis" | "image", string>
>;
export declare function postgresPackage(machine: Machine): string | null;
export declare function redisWays(machine: Machine, purpose: "start" | "test"): Way[];
export declare function postgresWays(machine: Machine): Way[];
export declare function consentFor(way: Way, machine: Machine): "do" | "ask" | "leave";
