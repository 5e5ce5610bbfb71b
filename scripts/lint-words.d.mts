/** What is wrong with the words of a file, as `path:line: complaint`: see lint-words.mjs. */
export declare function offences(path: string, text: string): string[];
