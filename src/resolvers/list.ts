/**
 * Pages of lists: positions and ids only. Nodes, cursors and
 * totals are read when a client selects them.
 */
import type DataLoader from "dataloader";
import { BadUserInput } from "../domain/errors.js";
import {
  decodeCursor,
  encodeCursor,
  type IdPage,
  type PageRequest,
  type Position,
  pageSize,
} from "../domain/page.js";
import { typed } from "../domain/text.js";
import type { PageArgs, PageInfo } from "../schema/page.js";

/** What a list is sorted by: the type of its cursors' values. */
type PositionKind = "number" | "string";

/**
 * A list. Its name is unique per list and order; cursors are
 * bound to it.
 */
export interface ListIdentity {
  readonly name: string;
  readonly sortedBy: PositionKind;
}

/**
 * Checks `first` and `after`. Throws BadUserInput for a size out
 * of bounds, or a cursor of another list.
 */
export function pageRequest(
  { name, sortedBy }: ListIdentity,
  { first, after }: PageArgs,
): PageRequest {
  const position = decodeCursor(name, after);
  if (position && !isOf(sortedBy, position))
    throw new BadUserInput("after is not a cursor of this list.", ["after"]);
  return { limit: pageSize(first), after: position };
}

/**
 * Checksums of cursors are no secret, so clients can forge any
 * value. Only comparable ones reach the database.
 */
function isOf(kind: PositionKind, { value, id }: Position): boolean {
  return (
    typeof value === kind && id > 0 && !(typeof value === "string" && UNSEARCHABLE.test(value))
  );
}

/** A page of a list: the value behind a connection type. */
export class ListPage<Of> {
  constructor(
    private readonly list: ListIdentity,
    /**
     * What the list is of: a filter, a product's key, a text. The
     * total is counted by it.
     */
    readonly of: Of,
    private readonly request: PageRequest,
    private readonly page: IdPage,
  ) {}

  /**
   * Loads the nodes of the page; those that vanished since are
   * left out.
   */
  async edges<Node extends object>(
    load: (ids: readonly number[]) => Promise<readonly (Node | null)[]>,
  ): Promise<ListEdge<Node>[]> {
    const nodes = await load(this.page.rows.map(({ id }) => id));
    return this.page.rows.flatMap((row, index) => {
      const node = nodes[index];
      return node ? [new ListEdge(this.list, row, node)] : [];
    });
  }

  /**
   * Cursors cover vanished nodes too: the next page starts after
   * them.
   */
  get pageInfo(): PageInfo {
    const { rows, hasNextPage } = this.page;
    const cursorOf = (row: Position | undefined): string | null =>
      row ? encodeCursor(this.list.name, row) : null;
    return {
      hasNextPage,
      hasPreviousPage: this.request.after !== null,
      startCursor: cursorOf(rows[0]),
      endCursor: cursorOf(rows.at(-1)),
    };
  }
}

/**
 * An item of a page. Its cursor costs a hash, so it is made
 * once, on demand.
 */
class ListEdge<Node extends object> {
  private encoded: string | null = null;

  constructor(
    private readonly list: ListIdentity,
    private readonly position: Position,
    readonly node: Node,
  ) {}

  get cursor(): string {
    this.encoded ??= encodeCursor(this.list.name, this.position);
    return this.encoded;
  }
}

/**
 * Loads all of `ids` in their order; rejects when any read
 * fails. Missing ones are null.
 */
export function loadEach<Record>(
  loader: DataLoader<number, Record>,
  ids: readonly number[],
): Promise<Record[]> {
  return Promise.all(ids.map((id) => loader.load(id)));
}

/**
 * What Postgres refuses in a text (NUL) or changes (half a
 * surrogate pair).
 */
const UNSEARCHABLE = /\0|\p{Surrogate}/u;

/**
 * Reads a text to search for; undefined without one. Normalises
 * it like stored text, with single blanks: equal searches share
 * a cache entry. Throws BadUserInput for a text that is too
 * long, or that holds unstorable characters.
 */
export function searchText(
  text: string | null | undefined,
  { maxLength, argument }: { maxLength: number; argument: readonly string[] },
): string | undefined {
  if (!text) return undefined;
  if (UNSEARCHABLE.test(text))
    throw new BadUserInput(`${argument.join(".")} holds characters that are not text.`, argument);
  const wanted = typed(text).replace(/\s+/g, " ");
  if (wanted.length > maxLength)
    throw new BadUserInput(
      `${argument.join(".")} must be at most ${maxLength} characters, not ${wanted.length}.`,
      argument,
    );
  return wanted || undefined;
}
