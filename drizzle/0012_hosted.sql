-- Entities whose Entity Configuration is served here, and the keys that are kept for them.

ALTER TABLE entities DROP CONSTRAINT entities_enrolment_check;
--> statement-breakpoint
ALTER TABLE entities ADD CONSTRAINT entities_enrolment_check
  CHECK (enrolment IN ('published', 'handed_over', 'hosted'));
--> statement-breakpoint

ALTER TABLE issued_statements DROP CONSTRAINT issued_statements_kind_check;
--> statement-breakpoint
ALTER TABLE issued_statements ADD CONSTRAINT issued_statements_kind_check
  CHECK (kind IN ('entity-configuration', 'subordinate-statement', 'historical-keys', 'hosted-configuration'));
--> statement-breakpoint

CREATE TABLE hosted_entities (
  entity_id uuid PRIMARY KEY REFERENCES entities (id),
  location text NOT NULL,
  hostname text NOT NULL,
  metadata jsonb NOT NULL,
  configuration_lifetime_seconds integer NOT NULL CHECK (configuration_lifetime_seconds > 0),
  mode text NOT NULL CHECK (mode IN ('signed_here', 'uploaded')),
  uploaded_configuration text,
  uploaded_iat double precision,
  started_at timestamptz NOT NULL,
  ended_at timestamptz,
  CHECK ((mode = 'uploaded') = (uploaded_configuration IS NOT NULL AND uploaded_iat IS NOT NULL))
);
--> statement-breakpoint
-- What is served at a place is said by one record.
CREATE UNIQUE INDEX hosted_entities_location ON hosted_entities (location) WHERE ended_at IS NULL;
--> statement-breakpoint
CREATE INDEX hosted_entities_hostname ON hosted_entities (hostname);
--> statement-breakpoint
-- Whose a place was counts after the end, too.
CREATE INDEX hosted_entities_place ON hosted_entities (location);
--> statement-breakpoint

CREATE TABLE hosted_keys (
  id uuid PRIMARY KEY,
  entity_id uuid NOT NULL REFERENCES hosted_entities (entity_id),
  kid text NOT NULL,
  alg text NOT NULL,
  purpose text NOT NULL CHECK (purpose = 'hosted-entity'),
  public_jwk jsonb NOT NULL,
  sealed_private_key bytea,
  -- 'partner': the entity itself has it, and never gave us more than its public half.
  custody text NOT NULL CHECK (custody IN ('sealed', 'pkcs11', 'partner')),
  token_object text,
  state text NOT NULL CHECK (state IN ('announced', 'active', 'retired', 'handed_over', 'removed')),
  created_at timestamptz NOT NULL,
  activate_after timestamptz,
  retired_at timestamptz,
  remove_after timestamptz,
  longest_lifetime_seconds integer NOT NULL DEFAULT 0,
  -- What was handed out, encrypted to its recipient: an answer that got lost is given again until the first upload.
  handed_over_jwe text,
  handed_over_to jsonb,
  -- Keys made here have their thumbprint for a name; others name theirs as they like. It finds an entity's keys as well.
  CONSTRAINT hosted_keys_kid UNIQUE (entity_id, kid),
  CHECK (sealed_private_key IS NULL OR (custody = 'sealed' AND state IN ('announced', 'active'))),
  CHECK ((handed_over_jwe IS NULL) = (handed_over_to IS NULL)),
  CHECK (handed_over_jwe IS NULL OR state = 'handed_over')
);
--> statement-breakpoint
CREATE UNIQUE INDEX hosted_keys_announced ON hosted_keys (entity_id) WHERE state = 'announced';
--> statement-breakpoint
CREATE UNIQUE INDEX hosted_keys_active ON hosted_keys (entity_id) WHERE state = 'active';
