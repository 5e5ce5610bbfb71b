/** What an operator may set. */
import { definePart } from "../../../src/config/part.js";
import { count } from "../../../src/config/values.js";

export const guestbookConfig = definePart(
  { GUESTBOOK_MAX: count(100).describe("signatures that are kept") },
  (env) => ({ signaturesMax: env.GUESTBOOK_MAX }),
);
