/**
 * A plugin of graphql-codegen: the manifest of persisted documents, an object of `sha256:<hash>`
 * and document. Run by `npm run persist` over the operations that codegen.yml names, and by `npm
 * run codegen`.
 *
 * Each operation becomes a document of its own, with the fragments it spreads, printed by
 * graphql-js: what most clients send. Apollo Client asks for `__typename` in every selection
 * besides, so that form is in the manifest too.
 */
import { createHash } from "node:crypto";
import { addTypenameToDocument } from "@apollo/client/utilities/index.js";
import { Kind, print, visit } from "graphql";

/** What codegen calls: the manifest as text. */
export function plugin(_schema, files) {
  const definitions = files.flatMap(({ document }) => document.definitions);
  const fragments = new Map(
    definitions
      .filter(({ kind }) => kind === Kind.FRAGMENT_DEFINITION)
      .map((one) => [one.name.value, one]),
  );
  const documents = definitions
    .filter(({ kind }) => kind === Kind.OPERATION_DEFINITION)
    .map((operation) => ({
      kind: Kind.DOCUMENT,
      definitions: [operation, ...spreadBy(operation, fragments)],
    }))
    .flatMap((document) => [print(document), print(addTypenameToDocument(document))]);
  const manifest = Object.fromEntries(
    documents.map((text) => [`sha256:${createHash("sha256").update(text).digest("hex")}`, text]),
  );
  return `${JSON.stringify(manifest, null, 2)}\n`;
}

/** The fragments that an operation needs, each once, in the order of their first use. */
function spreadBy(operation, fragments) {
  const needed = new Set();
  const collect = (definition) =>
    visit(definition, {
      FragmentSpread({ name }) {
        const fragment = fragments.get(name.value);
        if (!fragment || needed.has(fragment)) return;
        needed.add(fragment);
        collect(fragment);
      },
    });
  collect(operation);
  return needed;
}
