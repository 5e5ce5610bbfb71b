/** Relay connections, forward only. */
import { ArgsType, Field, Int, ObjectType } from "type-graphql";
import { cursorRule, pageSizeRule } from "../domain/argument-rules.js";
import { PAGE_SIZE } from "../domain/page.js";
import { Checked } from "./argument-rule.js";
import { Shared } from "./scope.js";

/** Longest search text, in UTF-16 units. */
export const MAX_SEARCH_LENGTH = 200;

@ObjectType({
  description: "Where a page stands in its list, and how to ask for the next one.",
  simpleResolvers: true,
})
export class PageInfo {
  @Field(() => Boolean, {
    description:
      "Whether there is at least one more item after this page: ask with `after: endCursor`.",
  })
  @Shared("PUBLIC", { cached: true })
  hasNextPage!: boolean;

  @Field(() => Boolean, {
    description: "Whether this page was asked for with `after`. Lists are read forward only.",
  })
  @Shared("PUBLIC", { cached: true })
  hasPreviousPage!: boolean;

  @Field(() => String, {
    nullable: true,
    description: "Cursor of the page's first item; null when the page is empty.",
  })
  @Shared("PUBLIC", { cached: true })
  startCursor!: string | null;

  @Field(() => String, {
    nullable: true,
    description: "Cursor of the page's last item, for `after`; null when the page is empty.",
  })
  @Shared("PUBLIC", { cached: true })
  endCursor!: string | null;
}

/** Arguments of every connection. */
@ArgsType()
export class PageArgs {
  @Field(() => Int, {
    nullable: true,
    defaultValue: PAGE_SIZE.default,
    description:
      `Most items to answer: ${PAGE_SIZE.min} to ${PAGE_SIZE.max}, otherwise BAD_USER_INPUT. ` +
      `Null means ${PAGE_SIZE.default}.`,
  })
  @Checked(pageSizeRule)
  first!: number | null;

  @Field(() => String, {
    nullable: true,
    description:
      "Answer the items after this cursor: one from this very list, with the same filter and " +
      "sort, otherwise BAD_USER_INPUT. Null starts at the beginning. Items that are inserted " +
      "meanwhile neither repeat nor hide others.",
  })
  @Checked(cursorRule)
  after?: string | null;
}
