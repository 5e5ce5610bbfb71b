/** See postgres.mjs. */
export declare function complete(native: string): void;
