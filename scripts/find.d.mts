export declare const REDIS_SERVERS: readonly string[];
export declare function findCommand(names: readonly string[], path?: string): string | null;
export declare function findPostgres(path?: string): string | null;
export declare function findBrowser(path?: string): string | null;
