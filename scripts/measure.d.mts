/** The figures of `src`: see measure.mjs. Sizes are `[median, p90, max]`. */
export interface Figures {
  readonly wideLines: number;
  readonly wideShare: number;
  readonly longestLine: number;
  readonly commentWords: number;
  readonly repeatedNames: number;
  readonly fileLines: readonly number[];
  readonly functionLines: readonly number[];
  readonly valueCycles: number;
  readonly cycles: number;
  readonly fullestFolder: number;
}

export declare function measure(): Figures;

/** The lines of the table in docs/architecture.md. */
export declare function tableOf(figures: Figures): string[];
