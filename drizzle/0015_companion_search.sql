-- The companion endpoints at 100,000 subordinates: by when they changed, and by a text in a name.

CREATE INDEX entities_updated ON entities (authority_id, updated_at);
--> statement-breakpoint

-- What people may look for of an entity, in lower case: identifier, then names, then descriptions and keywords, each
-- parameter as its superior has it. No more than anybody reads, so that a record costs a search no more than another.
CREATE FUNCTION entity_search_text(identifier text, own_metadata jsonb, superior_metadata jsonb) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  WITH own AS (
    SELECT CASE jsonb_typeof(own_metadata) WHEN 'object' THEN own_metadata ELSE '{}' END AS metadata
  ),
  played AS (
    SELECT type,
      CASE jsonb_typeof(metadata -> type) WHEN 'object' THEN metadata -> type ELSE '{}' END
        || CASE jsonb_typeof(superior_metadata -> type) WHEN 'object' THEN superior_metadata -> type ELSE '{}' END
        AS parameters
    FROM own, LATERAL jsonb_object_keys(metadata || superior_metadata) AS type
  )
  SELECT left(lower(concat(identifier, string_agg(E'\n' || value, '' ORDER BY name ~ '^(description|keywords)', name, type))), 4000)
  FROM played, LATERAL jsonb_each_text(parameters) AS parameter (name, value)
  WHERE name ~ '^(display_name|organization_name|client_name|resource_name|description|keywords)(#.*)?$'
$$;
--> statement-breakpoint

-- All runs of three characters in a text. An index of them finds a text within a text like the extension pg_trgm does,
-- which not every database has and not everybody may install.
CREATE FUNCTION search_grams(searched text) RETURNS text[]
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT coalesce(array_agg(substr(searched, place, 3)), '{}') FROM generate_series(1, char_length(searched) - 2) AS place
$$;
--> statement-breakpoint

CREATE TABLE entity_search_texts (
  entity_id uuid PRIMARY KEY REFERENCES entities (id),
  text text NOT NULL
);
--> statement-breakpoint

CREATE FUNCTION keep_entity_search_text() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  INSERT INTO entity_search_texts (entity_id, text)
  VALUES (NEW.id, entity_search_text(NEW.entity_identifier, NEW.evidence -> 'claims' -> 'metadata', NEW.metadata))
  ON CONFLICT (entity_id) DO UPDATE SET text = excluded.text WHERE entity_search_texts.text <> excluded.text;
  RETURN NULL;
END
$$;
--> statement-breakpoint

-- Whoever writes a record, an older version of the program too, keeps its text with it.
CREATE TRIGGER entities_search_text AFTER INSERT OR UPDATE OF entity_identifier, evidence, metadata ON entities
  FOR EACH ROW EXECUTE FUNCTION keep_entity_search_text();
--> statement-breakpoint

INSERT INTO entity_search_texts (entity_id, text)
  SELECT id, entity_search_text(entity_identifier, evidence -> 'claims' -> 'metadata', metadata) FROM entities;
--> statement-breakpoint

CREATE INDEX entity_search_texts_grams ON entity_search_texts USING gin (search_grams(text));
--> statement-breakpoint

-- When the lists of Intermediates elsewhere are walked for the Entity Collection; each by one node at a time.
CREATE TABLE collection_walks (
  entity_id uuid PRIMARY KEY REFERENCES entities (id),
  next_walk_at timestamptz NOT NULL,
  attempted_at timestamptz,
  walked_at timestamptz,
  failures integer NOT NULL DEFAULT 0
);
--> statement-breakpoint
-- To find those that are not planned yet without a look at everybody.
CREATE INDEX entities_intermediates ON entities (id)
  WHERE state = 'active' AND coalesce(verified_intermediate, registered_intermediate);
--> statement-breakpoint
CREATE INDEX collection_walks_due ON collection_walks (next_walk_at);
--> statement-breakpoint

-- Entities below those Intermediates, as they resolved towards an authority of ours when they were last walked. They
-- are there for as long as that chain lives, and the record of the Intermediate is active.
CREATE TABLE collected_entities (
  authority_id uuid NOT NULL REFERENCES authorities (id),
  branch_id uuid NOT NULL REFERENCES entities (id),
  entity_identifier text NOT NULL,
  entity_types jsonb NOT NULL,
  metadata jsonb NOT NULL,
  trust_marks jsonb,
  search_text text GENERATED ALWAYS AS (entity_search_text(entity_identifier, metadata, '{}')) STORED,
  valid_until timestamptz NOT NULL,
  PRIMARY KEY (authority_id, branch_id, entity_identifier)
);
--> statement-breakpoint
CREATE INDEX collected_entities_page ON collected_entities (authority_id, entity_identifier COLLATE "C");
--> statement-breakpoint
CREATE INDEX collected_entities_grams ON collected_entities USING gin (search_grams(search_text));
