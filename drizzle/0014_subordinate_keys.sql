-- Proposals of keys: by whose signature each came, so that those of a key that leaked go with it. What a configuration
-- shows no longer is forgotten: the audit has it.

DELETE FROM entity_key_proposals WHERE state = 'withdrawn';
--> statement-breakpoint

ALTER TABLE entity_key_proposals
  DROP CONSTRAINT entity_key_proposals_state_check,
  ADD CONSTRAINT entity_key_proposals_state_check CHECK (state IN ('proposed', 'accepted', 'refused')),
  ADD COLUMN signed_by text;
