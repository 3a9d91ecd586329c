-- Trust Marks: what anchors list, the types that authorities issue, who holds them, what was signed; delegations made
-- as the owner of a type, and marks of others that our authorities show.

ALTER TABLE authorities ADD COLUMN trust_mark_issuers jsonb NOT NULL DEFAULT '{}';
--> statement-breakpoint
ALTER TABLE authorities ADD COLUMN trust_mark_owners jsonb NOT NULL DEFAULT '{}';
--> statement-breakpoint
CREATE TABLE trust_mark_types (
  id uuid PRIMARY KEY,
  authority_id uuid NOT NULL REFERENCES authorities (id),
  trust_mark_type text NOT NULL,
  name text NOT NULL,
  description text,
  logo_uri text,
  ref text,
  lifetime_seconds integer CHECK (lifetime_seconds > 0),
  additional_claims jsonb NOT NULL,
  eligibility jsonb NOT NULL,
  approval text NOT NULL CHECK (approval IN ('manual', 'automatic')),
  owner text,
  owner_jwks jsonb,
  delegation text,
  delegation_expires_at timestamptz,
  state text NOT NULL CHECK (state IN ('active', 'retired')),
  version integer NOT NULL,
  created_at timestamptz NOT NULL,
  UNIQUE (authority_id, trust_mark_type),
  CHECK ((owner IS NULL) = (owner_jwks IS NULL) AND (owner IS NULL) = (delegation IS NULL))
);
--> statement-breakpoint
CREATE TABLE trust_marks (
  id uuid PRIMARY KEY,
  authority_id uuid NOT NULL REFERENCES authorities (id),
  type_id uuid NOT NULL REFERENCES trust_mark_types (id),
  subject text NOT NULL,
  entity_id uuid REFERENCES entities (id),
  state text NOT NULL CHECK (state IN ('pending', 'active', 'rejected', 'withdrawn')),
  state_reason text,
  state_changed_at timestamptz NOT NULL,
  additional_claims jsonb NOT NULL,
  expires_at timestamptz,
  requested_by text NOT NULL CHECK (requested_by IN ('entity', 'authority')),
  version integer NOT NULL,
  created_at timestamptz NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX trust_marks_live ON trust_marks (type_id, subject) WHERE state IN ('pending', 'active');
--> statement-breakpoint
CREATE INDEX trust_marks_subject ON trust_marks (authority_id, subject);
--> statement-breakpoint
CREATE INDEX trust_marks_authority ON trust_marks (authority_id, id);
--> statement-breakpoint
-- Every mark that was ever signed, by the digest of its bytes, for as long as somebody may ask about it.
CREATE TABLE issued_trust_marks (
  digest bytea PRIMARY KEY,
  trust_mark_id uuid NOT NULL REFERENCES trust_marks (id),
  authority_id uuid NOT NULL REFERENCES authorities (id),
  kid text NOT NULL,
  issued_at timestamptz NOT NULL,
  expires_at timestamptz
);
--> statement-breakpoint
CREATE INDEX issued_trust_marks_kid ON issued_trust_marks (kid);
--> statement-breakpoint
CREATE INDEX issued_trust_marks_expiry ON issued_trust_marks (expires_at);
--> statement-breakpoint
-- The mark as last signed: every node serves these bytes until they change or reach half their life.
CREATE TABLE current_trust_marks (
  trust_mark_id uuid PRIMARY KEY REFERENCES trust_marks (id),
  claims_hash text NOT NULL,
  basis_version bigint NOT NULL,
  jwt text NOT NULL,
  issued_at timestamptz NOT NULL,
  expires_at timestamptz,
  refresh_at timestamptz
);
--> statement-breakpoint
CREATE TABLE trust_mark_delegations (
  id uuid PRIMARY KEY,
  authority_id uuid NOT NULL REFERENCES authorities (id),
  trust_mark_type text NOT NULL,
  issuer text NOT NULL,
  ref text,
  expires_at timestamptz,
  state text NOT NULL CHECK (state IN ('active', 'withdrawn')),
  state_reason text,
  jwt text NOT NULL,
  kid text NOT NULL,
  version integer NOT NULL,
  created_at timestamptz NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX trust_mark_delegations_live ON trust_mark_delegations (authority_id, trust_mark_type, issuer)
  WHERE state = 'active';
--> statement-breakpoint
CREATE INDEX trust_mark_delegations_kid ON trust_mark_delegations (kid);
--> statement-breakpoint
CREATE TABLE held_trust_marks (
  id uuid PRIMARY KEY,
  authority_id uuid NOT NULL REFERENCES authorities (id),
  trust_mark_type text NOT NULL,
  issuer text NOT NULL,
  jwt text NOT NULL,
  expires_at timestamptz,
  state text NOT NULL CHECK (state IN ('held', 'dropped')),
  refreshed_at timestamptz NOT NULL,
  next_refresh_at timestamptz,
  refresh_problem text,
  version integer NOT NULL,
  created_at timestamptz NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX held_trust_marks_held ON held_trust_marks (authority_id, trust_mark_type, issuer)
  WHERE state = 'held';
--> statement-breakpoint
CREATE INDEX held_trust_marks_authority ON held_trust_marks (authority_id);
