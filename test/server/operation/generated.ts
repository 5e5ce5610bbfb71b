/** Generated documents for the test schema: mostly valid ones, and ones damaged in the ways that fuzzers damage them. Seeded. */
import fc from "fast-check";

/** A generated request. */
export interface Generated {
  readonly query: string;
  readonly variables?: Record<string, unknown>;
  readonly operationName?: string;
}

const NAMES = ["a", "b", "__proto__", "constructor", "toString", "data", "hello"] as const;
const text = fc.oneof(
  fc.string({ maxLength: 12 }),
  fc.constantFrom("\\u0000", "\\ud800", "__MAGIC_NAN__", '\\"', "{", "#"),
);
const quoted = text.map((content) => JSON.stringify(content));

/** Which kinds of text a document may hold. Without literals it holds names, numbers and variables only. */
interface Kind {
  readonly literals: boolean;
}

/** Documents as text: the fields of each type; composite ones take a selection of the type they lead to. */
function documents({ literals }: Kind): fc.Arbitrary<string> {
  const names = literals
    ? NAMES
    : (["a", "b", "constructor", "toString", "data", "hello"] as const);
  const alias = fc.oneof(
    { weight: 4, arbitrary: fc.constant("") },
    { weight: 1, arbitrary: fc.constantFrom(...names).map((name) => `${name}: `) },
  );
  const directives = literals
    ? ["", "", "", "", "", "", " @include(if: true)", " @skip(if: $flag)", " @nope"]
    : [""];
  const directive = fc.constantFrom(...directives);
  const number = fc.oneof(
    fc.integer({ min: -5, max: 30 }).map(String),
    fc.constantFrom("$count", "99999999999", "null", "1.5", ...(literals ? ['"1"'] : [])),
  );
  const id = literals
    ? fc.oneof(fc.constantFrom('"p1"', '"c1"', '"none"', "$id", "7", "null"), quoted)
    : fc.constantFrom("$id", "$id", "7");
  const leaf = (...fields: string[]) =>
    fc
      .tuple(alias, fc.constantFrom(...fields, "__typename"), directive)
      .map((parts) => parts.join(""));
  const first = fc.oneof(
    fc.constant(""),
    number.map((value) => `(first: ${value})`),
  );
  const withId = id.map((value) => `(id: ${value})`);
  const some = (...fields: fc.Arbitrary<string>[]) =>
    fc
      .array(fc.oneof({ depthSize: "small", withCrossShrink: true }, ...fields), {
        minLength: 1,
        maxLength: 3,
      })
      .map((all) => all.join(" "));
  const scalar = (name: string) => number.map((value) => `${name}(value: ${value})`);
  const { query } = fc.letrec<Record<"product" | "category" | "node" | "query", string>>((tie) => {
    const to = (
      name: string,
      type: "product" | "category" | "node",
      args: fc.Arbitrary<string> = fc.constant(""),
    ) =>
      fc
        .tuple(
          alias,
          fc.constant(name),
          args,
          directive,
          fc.constant(" { "),
          tie(type),
          fc.constant(" }"),
        )
        .map((parts) => parts.join(""));
    const on = (type: string, inner: "product" | "category") =>
      tie(inner).map((selection) => `... on ${type} { ${selection} }`);
    return {
      product: some(
        leaf("id", "name", "price", "tags", "maybe"),
        leaf(literals ? "nope" : "name", "id"),
        to("category", "category"),
        fc.constant("...P"),
      ),
      category: some(
        leaf("id", "name"),
        to("parent", "category"),
        to("children", "category"),
        to("products", "product", first),
        fc.constant("...C"),
      ),
      node: some(leaf("id"), on("Product", "product"), on("Category", "category")),
      query: some(
        leaf("hello", "whoAmI", "badInput", "crash", "unavailable", "crashEarly", "forbidden"),
        leaf("hello", "whoAmI"),
        literals ? quoted.map((value) => `echo(text: ${value})`) : leaf("seen"),
        number.map((value) => `page(first: ${value})`),
        scalar("whole"),
        to("product", "product", withId),
        to("products", "product", first),
        to("node", "node", withId),
        to("category", "category"),
      ),
    };
  });
  const declared = literals
    ? '($count: Int = 2, $id: ID! = "p2", $flag: Boolean = false)'
    : "($count: Int = 2, $id: ID! = 3)";
  const fragments = "fragment P on Product { id name } fragment C on Category { id }";
  // Fragments and variables that nothing uses would be refused, so every document uses them all.
  const flagged = literals ? "seen @skip(if: $flag)" : "";
  const uses = `${flagged} used: product(id: $id) { ...P category { ...C products(first: $count) { id } } }`;
  return query.map((body) => `query Generated${declared} { ${body} ${uses} } ${fragments}`);
}

const well = documents({ literals: true });
const damaged = fc
  .tuple(
    well,
    fc.nat(),
    fc.constantFrom("", "{", "}", "...", "@", "$", "\0", "\ud83d", "((", '"""', "…"),
  )
  .map(([source, at, sign]) => {
    const cut = at % source.length;
    return source.slice(0, cut) + sign + source.slice(cut + 1);
  });
const noise = fc.string({ unit: "binary", maxLength: 60 });

const variables = fc.oneof(
  fc.constant(undefined),
  fc.record(
    {
      count: fc.oneof(fc.integer(), fc.constant(null), fc.string()),
      id: fc.oneof(fc.constantFrom("p1", "c2", null, 3), fc.object({ maxDepth: 2 })),
    },
    { requiredKeys: [] },
  ),
  fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 })) as fc.Arbitrary<
    Record<string, unknown>
  >,
);

const request = (source: fc.Arbitrary<string>) =>
  fc
    .tuple(
      source,
      variables,
      fc.constantFrom(undefined, undefined, undefined, "Generated", "Other"),
    )
    .map(
      ([query, values, operationName]) =>
        ({
          query,
          ...(values && { variables: values }),
          ...(operationName && { operationName }),
        }) as Generated,
    );

const any = request(
  fc.oneof(
    { weight: 6, arbitrary: well },
    { weight: 3, arbitrary: damaged },
    { weight: 1, arbitrary: noise },
  ),
);
const plain = request(documents({ literals: false }));

/** Documents of every kind; the same ones every time. */
export const generate = (count: number, seed: number): Generated[] =>
  fc.sample(any, { numRuns: count, seed });

/** Documents that hold names, numbers and variables only; the same ones every time. */
export const generatePlain = (count: number, seed: number): Generated[] =>
  fc.sample(plain, { numRuns: count, seed });
