export declare const CACHED_PROGRAMS: string;
export declare const CACHED_POSTGRES: string;
export declare function findCommand(names: readonly string[], path?: string): string | null;
export declare function findRedis(path?: string): string | null;
export declare function findPostgres(path?: string): string | null;
export declare function findBrowser(path?: string): string | null;
