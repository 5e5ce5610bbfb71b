import { describe, expect, it } from "vitest";
import { ListPage } from "../../src/resolvers/list.js";

const list = { name: "things", sortedBy: "number" } as const;
const rows = [5, 4, 3].map((id) => ({ value: id, id }));
const page = new ListPage(list, undefined, { limit: 3, after: null }, { rows, hasNextPage: true });

describe("a page", () => {
  it("A page leaves vanished rows out and goes on after them.", async () => {
    const edges = await page.edges(async (ids) => ids.map((id) => (id === 3 ? null : { id })));
    expect(edges.map(({ node }) => node.id)).toEqual([5, 4]);
    expect(page.pageInfo.startCursor).toBe(edges[0]?.cursor);
    expect(page.pageInfo.endCursor).not.toBe(edges.at(-1)?.cursor);
    expect(page.pageInfo.endCursor).not.toBeNull();
  });

  it("A page fails as a whole when a node cannot be read.", async () => {
    await expect(page.edges(async () => Promise.reject(new Error("down")))).rejects.toThrow("down");
  });
});
