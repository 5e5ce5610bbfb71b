/**
 * PostGraphile 5 on node:http: its own schema over Souk's tables, one SQL statement for a document.
 * What is listed below a category is a computed column: a function that the peer makes.
 */
import { createServer } from "node:http";
import pg from "pg";
import { postgraphile } from "postgraphile";
import { makePgService } from "postgraphile/adaptors/pg";
import { grafserv } from "postgraphile/grafserv/node";
import { PostGraphileAmberPreset } from "postgraphile/presets/amber";

const connectionString = process.env.DATABASE_URL;

const client = new pg.Client({ connectionString });
await client.connect();
await client.query(`
  CREATE OR REPLACE FUNCTION categories_newest(category categories) RETURNS SETOF products
  LANGUAGE sql STABLE AS $$
    SELECT p.* FROM products p
    WHERE p.removed_at IS NULL
      AND p.category_id IN (SELECT c.id FROM categories c WHERE c.path @> ARRAY[category.id])
    ORDER BY p.id DESC
  $$`);
await client.end();

const instance = postgraphile({
  extends: [PostGraphileAmberPreset],
  pgServices: [
    makePgService({
      connectionString,
      schemas: ["public"],
      poolConfig: { max: 10, idleTimeoutMillis: 0 },
    }),
  ],
  grafast: { explain: false, context: {} },
  grafserv: { graphqlPath: "/graphql", graphiql: false, watch: false, websockets: false },
});
const server = createServer();
await instance.createServ(grafserv).addTo(server);
server.listen(Number(process.env.PORT), "127.0.0.1");
process.once("SIGTERM", () => process.exit(0));
