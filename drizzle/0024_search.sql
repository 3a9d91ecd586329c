-- People look for entities by state and by type among 100,000: few of a kind are found without a look at all others.

CREATE INDEX entities_state ON entities (state, id);
--> statement-breakpoint

-- The types that an entity plays, as its configuration says or else as registered.
CREATE INDEX entities_types ON entities
  USING gin ((coalesce(verified_entity_types, registered_entity_types)) jsonb_path_ops) WITH (fastupdate = off);
--> statement-breakpoint

-- What is new lies in a list before it is in the index, which every search would read from beginning to end.
ALTER INDEX entity_search_texts_grams SET (fastupdate = off);
--> statement-breakpoint
ALTER INDEX collected_entities_grams SET (fastupdate = off);
--> statement-breakpoint
SELECT gin_clean_pending_list('entity_search_texts_grams'), gin_clean_pending_list('collected_entities_grams');
