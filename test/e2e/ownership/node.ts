/** Look-ups of any type: who may name them. */
import { open, type Rows } from "../ownership-row.js";

export const rows: Rows = {
  "Query.node(id)": open("of any type: see the rows node(…)"),
  "Query.nodes(ids)": open("of any types: see the rows nodes(…)"),
};
