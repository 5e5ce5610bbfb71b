import type { KeySubject } from "../src/redis/client/keys/spec.js";

/** The text of docs/keys.md. */
export declare function keysPage(subjects: readonly KeySubject[], namespace: string): string;
/** The text of docs/redis-acl.md. */
export declare function aclPage(subjects: readonly KeySubject[], namespace: string): string;
