-- Tokens of members: of organisations, within their authorities. A rotated token has two secrets for a while.
ALTER TABLE api_tokens
  ADD COLUMN organisation_ids jsonb,
  ADD COLUMN previous_hash bytea UNIQUE,
  ADD COLUMN previous_expires_at timestamptz,
  ADD CONSTRAINT api_tokens_organisations CHECK (
    organisation_ids IS NULL
    OR (jsonb_typeof(organisation_ids) = 'array' AND organisation_ids <> '[]' AND authority_ids IS NOT NULL)
  ),
  -- What a role of members means is bounded by organisations, and no other role is.
  ADD CONSTRAINT api_tokens_member_roles CHECK (
    CASE
      WHEN organisation_ids IS NULL THEN NOT roles ?| ARRAY['organisation-admin', 'technical-contact']
      ELSE roles <@ '["organisation-admin", "technical-contact"]'
    END
  ),
  ADD CONSTRAINT api_tokens_previous CHECK ((previous_hash IS NULL) = (previous_expires_at IS NULL));
--> statement-breakpoint

-- What an entity got for an assertion signed by one of its keys, for minutes.
CREATE TABLE entity_tokens (
  token_hash bytea PRIMARY KEY,
  entity_id uuid NOT NULL REFERENCES entities (id),
  kid text NOT NULL,
  expires_at timestamptz NOT NULL
);
--> statement-breakpoint

CREATE INDEX entity_tokens_expires_at ON entity_tokens (expires_at);
