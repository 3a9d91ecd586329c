-- Keys of subordinates: where each came from and how it went, what configurations propose, what was noticed about them,
-- and when each configuration is looked at next.

ALTER TABLE entity_keys
  ADD COLUMN source text NOT NULL DEFAULT 'enrolment'
    CHECK (source IN ('enrolment', 'registrar', 'push', 'configuration')),
  ADD COLUMN removal text CHECK (removal IN ('enrolment', 'registrar', 'push', 'compromised')),
  ADD COLUMN compromised_at timestamptz,
  ADD COLUMN compromise_reason text;
--> statement-breakpoint

-- While its entity is pending a key may come back; what was removed later was vouched for, and does not.
UPDATE entity_keys SET removal = CASE WHEN entities.state = 'pending' THEN 'enrolment' ELSE 'registrar' END
  FROM entities WHERE entities.id = entity_keys.entity_id AND entity_keys.removed_at IS NOT NULL;
--> statement-breakpoint

ALTER TABLE entity_keys
  ADD CONSTRAINT entity_keys_removal CHECK ((removal IS NULL) = (removed_at IS NULL)),
  ADD CONSTRAINT entity_keys_compromised CHECK (compromised_at IS NULL OR removed_at IS NOT NULL);
--> statement-breakpoint

ALTER TABLE authorities
  ADD COLUMN key_proposals text NOT NULL DEFAULT 'hold' CHECK (key_proposals IN ('hold', 'accept'));
--> statement-breakpoint

-- Keys that a configuration signed by a registered key shows and that are not registered.
CREATE TABLE entity_key_proposals (
  entity_id uuid NOT NULL REFERENCES entities (id),
  kid text NOT NULL,
  public_jwk jsonb NOT NULL,
  state text NOT NULL CHECK (state IN ('proposed', 'accepted', 'refused', 'withdrawn')),
  proposed_at timestamptz NOT NULL,
  decided_at timestamptz,
  reason text,
  PRIMARY KEY (entity_id, kid)
);
--> statement-breakpoint

-- `iat` of what was last accepted: nothing older counts.
CREATE TABLE entity_key_statements (
  entity_id uuid PRIMARY KEY REFERENCES entities (id),
  configuration_iat double precision,
  pushed_iat double precision
);
--> statement-breakpoint

-- What a person should look at: observations, made anew all the time, and gone when they are cured.
CREATE TABLE entity_findings (
  entity_id uuid NOT NULL REFERENCES entities (id),
  kind text NOT NULL,
  since timestamptz NOT NULL,
  detail text NOT NULL,
  PRIMARY KEY (entity_id, kind)
);
--> statement-breakpoint

CREATE TABLE entity_refreshes (
  entity_id uuid PRIMARY KEY REFERENCES entities (id),
  next_refresh_at timestamptz NOT NULL,
  attempted_at timestamptz,
  failures integer NOT NULL DEFAULT 0
);
--> statement-breakpoint
CREATE INDEX entity_refreshes_due ON entity_refreshes (next_refresh_at);
