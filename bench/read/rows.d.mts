/** The rows of the table: see rows.mjs. */
export declare const ROWS: readonly { readonly name: string; readonly title: string }[];
