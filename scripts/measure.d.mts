/** The figures of `src`: see measure.mjs. Sizes are `[median, p90, max]`. */
export declare function measure(): {
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
};
