/** Global ids: one spelling each, and nothing else is accepted. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { decodeId, decodeIdOf, encodeCacheId, encodeId, NODE_TYPES } from "../../src/domain/ids.js";

const type = fc.constantFrom(...NODE_TYPES);
const key = fc.maxSafeNat().map((number) => Math.max(1, number));

it("Decoding an encoded id returns its type and key.", () => {
  fc.assert(
    fc.property(type, key, (some, number) => {
      const id = encodeId(some, number);
      expect(decodeId(id)).toEqual({ type: some, key: number });
      for (const other of NODE_TYPES)
        expect(decodeIdOf(other, id)).toBe(other === some ? number : null);
    }),
  );
});

it("An id for caches is that of no other type, and names nothing to fetch.", () => {
  const cached = ["ProductStats", "Viewer", "Inbox"] as const;
  const ids = cached.map((name) => encodeCacheId(name, 7));
  const all = [...ids, ...NODE_TYPES.map((name) => encodeId(name, 7)), encodeCacheId("Inbox", 8)];
  expect(new Set(all).size).toBe(all.length);
  expect(ids.map(decodeId)).toEqual([null, null, null]);
});

it("Every other spelling of an id is refused.", () => {
  fc.assert(
    fc.property(
      type,
      key,
      fc.constantFrom("=", " ", "\n", "A"),
      (some, number, tail) => void expect(decodeId(encodeId(some, number) + tail)).toBeNull(),
    ),
  );
  const spelled = (text: string) => Buffer.from(text).toString("base64url");
  const wrong = [
    "Product:0",
    "Product:01",
    "Product:-1",
    "Product:1.0",
    "Product: 1",
    "Product:9007199254740992",
    "product:1",
    "Order:1",
    "Product:",
    ":1",
    "__proto__:1",
  ];
  for (const text of wrong) expect(decodeId(spelled(text))).toBeNull();
  expect(decodeId(Buffer.from("Product:12").toString("base64"))).toBeNull();
});

it("Any other text is refused as an id, however long.", () => {
  fc.assert(fc.property(fc.string(), (text) => void expect(decodeId(text)).toBeNull()));
  expect(decodeId("A".repeat(1_000_000))).toBeNull();
});
