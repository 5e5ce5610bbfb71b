/**
 * The envelope types of a list; the connection's resolver fills
 * them.
 */
import { type ClassType, Field, Int, ObjectType } from "type-graphql";
import { PageInfo } from "./page.js";
import { Shared } from "./scope.js";

/** A list in descriptions. */
interface ListWords {
  readonly plural: string;
  /** Longest list that is counted; any by default. */
  readonly maxCount?: number;
}

/**
 * Declares `<name>Edge` and `<name>Connection`.
 * @param name GraphQL name of the node type, or of the list
 */
export function declareConnection(
  name: string,
  words: string | ListWords,
  node: () => ClassType<object>,
) {
  const { plural, maxCount }: ListWords = typeof words === "string" ? { plural: words } : words;
  const uncounted =
    maxCount === undefined
      ? ""
      : ` Null where there are more than ${maxCount.toLocaleString("en")}.`;

  @ObjectType(`${name}Edge`, {
    description: `One item of a list of ${plural}.`,
    simpleResolvers: true,
  })
  class Edge {
    @Field(() => String, { description: "Opaque position of this item in this list, for `after`." })
    @Shared("PUBLIC", { cached: true })
    cursor!: string;

    @Field(node, {
      description:
        "The item itself, as it is now, even where its place in the list was decided a moment " +
        "ago.",
    })
    @Shared("PUBLIC", { cached: true })
    node!: object;
  }

  @ObjectType(`${name}Connection`, {
    description: `A page of a list of ${plural}.`,
    simpleResolvers: true,
  })
  class Connection {
    @Field(() => [Edge], {
      description:
        "The items of the page, in order. It may hold fewer than `first` while `hasNextPage` " +
        "is true: what vanished since the page was read is left out.",
    })
    @Shared("PUBLIC", { cached: true })
    edges!: readonly Edge[];

    @Field(() => PageInfo, {
      description: "Where the page stands, and how to ask for the next one.",
    })
    @Shared("PUBLIC", { cached: true })
    pageInfo!: PageInfo;

    @Field(() => Int, {
      nullable: true,
      description:
        `How many ${plural} the whole list holds. Counted only when asked for; may be a moment ` +
        `older than the page.${uncounted}`,
    })
    @Shared("PUBLIC", { cached: true })
    totalCount!: number | null;
  }
  return { Edge, Connection };
}
