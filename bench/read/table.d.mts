/** One round of a contestant: CPU in µs a request, and what else the tables show. */
export interface Round {
  readonly cpu: number;
  readonly rps: number;
  readonly sql: number;
  readonly redis: number;
  readonly failed: number;
}

export interface Contestant {
  readonly name: string;
  readonly title: string;
  readonly kind: "souk" | "peer" | "bound";
  /** Who asks Souk. */
  readonly as?: string;
  /** Mean size of an answer in bytes. */
  readonly size: number;
  readonly rounds: readonly Round[];
}

export interface Row {
  readonly name: string;
  readonly contestants: readonly Contestant[];
}

export interface Figures {
  readonly calmest: number;
  readonly median: number;
}

export declare function cpuOf(contestant: Contestant): Figures;
export declare function ratioTo(
  contestant: Contestant,
  others: readonly Contestant[],
): Figures | null;
export declare function bestOf(contestants: readonly Contestant[]): Contestant | undefined;
export declare function rowTable(row: Row): string;
export declare function summaryTable(rows: readonly Row[]): string;
export declare function failedOf(contestant: Contestant): number;
