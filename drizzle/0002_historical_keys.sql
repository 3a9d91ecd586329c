-- Historical keys documents are stored as statements are, so that all nodes serve the same bytes.

ALTER TABLE issued_statements DROP CONSTRAINT issued_statements_kind_check;
--> statement-breakpoint

ALTER TABLE issued_statements ADD CONSTRAINT issued_statements_kind_check
  CHECK (kind IN ('entity-configuration', 'subordinate-statement', 'historical-keys'));
