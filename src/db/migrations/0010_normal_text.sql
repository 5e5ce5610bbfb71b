-- Stored text in one form (NFC), as questions are since this version. Brands and categories that
-- become equal are joined under the older id. Skus and addresses that would become equal belong to
-- different products and accounts: those rows stay as they are, and db/client/decomposed-text.ts lists
-- them.
DO $$
DECLARE
  changed boolean := false;
BEGIN
  -- normalize() works in UTF8 alone; in other encodings there are no two forms of a letter.
  IF getdatabaseencoding() <> 'UTF8' THEN RETURN; END IF;

  -- Some letters have no composed form and grow: what would be too long stays as it is.
  CREATE OR REPLACE FUNCTION pg_temp.composed(value text, most integer) RETURNS text LANGUAGE sql IMMUTABLE AS
    'SELECT CASE WHEN char_length(normalize(value, NFC)) <= most THEN normalize(value, NFC) ELSE value END';

  CREATE TEMPORARY TABLE same_brands ON COMMIT DROP AS
    SELECT id, wanted, min(id) OVER (PARTITION BY wanted) AS kept
    FROM (SELECT id, pg_temp.composed(name, 100) AS wanted FROM brands) AS brand;
  UPDATE products p SET brand_id = s.kept, version = p.version + 1, updated_at = clock_timestamp()
    FROM same_brands s WHERE s.id = p.brand_id AND s.kept <> s.id;
  DELETE FROM brands b USING same_brands s WHERE s.id = b.id AND s.kept <> s.id;
  UPDATE brands b SET name = s.wanted FROM same_brands s WHERE s.id = b.id AND b.name <> s.wanted;
  changed := changed OR FOUND;

  -- Two categories are one when all names from the root down are.
  CREATE TEMPORARY TABLE same_categories ON COMMIT DROP AS
    WITH RECURSIVE tree AS (
      SELECT id, ARRAY[pg_temp.composed(name, 100)] AS names FROM categories WHERE parent_id IS NULL
      UNION ALL
      SELECT c.id, t.names || pg_temp.composed(c.name, 100) FROM categories c JOIN tree t ON t.id = c.parent_id
    )
    SELECT id, names[cardinality(names)] AS wanted, min(id) OVER (PARTITION BY names) AS kept FROM tree;
  UPDATE products p SET category_id = s.kept, version = p.version + 1, updated_at = clock_timestamp()
    FROM same_categories s WHERE s.id = p.category_id AND s.kept <> s.id;
  -- Siblings share a name between these two statements.
  ALTER TABLE categories DROP CONSTRAINT categories_parent_name;
  UPDATE categories c SET
      name = s.wanted,
      parent_id = (SELECT p.kept FROM same_categories p WHERE p.id = c.parent_id),
      path = ARRAY(SELECT p.kept FROM unnest(c.path) WITH ORDINALITY AS step(id, place) JOIN same_categories p USING (id) ORDER BY place)
    FROM same_categories s
    WHERE s.id = c.id AND s.kept = s.id
      AND (c.name <> s.wanted OR EXISTS (SELECT FROM same_categories p WHERE p.id = ANY(c.path) AND p.kept <> p.id));
  changed := changed OR FOUND;
  DELETE FROM categories c USING same_categories s WHERE s.id = c.id AND s.kept <> s.id;
  changed := changed OR FOUND;
  ALTER TABLE categories ADD CONSTRAINT categories_parent_name UNIQUE NULLS NOT DISTINCT (parent_id, name);

  UPDATE products p SET sku = w.wanted, name = w.name, description = w.description, version = p.version + 1, updated_at = clock_timestamp()
    FROM (
      SELECT id, pg_temp.composed(name, 200) AS name, pg_temp.composed(description, 10000) AS description,
        -- Of several skus that become equal, the one that is composed already keeps it, else the
        -- oldest.
        CASE WHEN row_number() OVER (PARTITION BY composed ORDER BY sku <> composed, id) = 1 THEN composed ELSE sku END AS wanted
      FROM (SELECT id, sku, name, description, pg_temp.composed(sku, 64) AS composed FROM products) AS product
    ) AS w
    WHERE w.id = p.id AND (p.sku, p.name, p.description) IS DISTINCT FROM (w.wanted, w.name, w.description);
  changed := changed OR FOUND;

  UPDATE reviews SET author = normalize(author, NFC), body = normalize(body, NFC)
    WHERE author IS NOT NFC NORMALIZED OR body IS NOT NFC NORMALIZED;
  changed := changed OR FOUND;

  UPDATE users u SET email = w.wanted, name = w.name
    FROM (
      SELECT id, pg_temp.composed(name, 100) AS name,
        CASE WHEN row_number() OVER (PARTITION BY composed ORDER BY email <> composed, id) = 1 THEN composed ELSE email END AS wanted
      FROM (SELECT id, email, name, pg_temp.composed(email, 254) AS composed FROM users) AS account
    ) AS w
    WHERE w.id = u.id AND (u.email, u.name) IS DISTINCT FROM (w.wanted, w.name);
  UPDATE notification_contents SET title = pg_temp.composed(title, 200), body = pg_temp.composed(body, 2000)
    WHERE title IS NOT NFC NORMALIZED OR body IS NOT NFC NORMALIZED;
  UPDATE leaderboards SET title = pg_temp.composed(title, 100) WHERE title IS NOT NFC NORMALIZED;

  IF changed THEN
    PERFORM gin_clean_pending_list(oid) FROM pg_class WHERE oid = 'products_search'::regclass AND pg_has_role(relowner, 'USAGE');
    -- As an import does: one tag ends every cached list, one event has watched products read again.
    INSERT INTO outbox (tags, events) VALUES ('{catalogue}', '[{"topic": {"kind": "catalogueChanged", "id": 0}, "version": 0}]');
    PERFORM pg_notify('souk_outbox', '');
  END IF;
END $$;
