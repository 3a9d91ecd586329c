CREATE TABLE registry_counter (
  id smallint PRIMARY KEY CHECK (id = 1),
  seq bigint NOT NULL CHECK (seq >= 0)
);
--> statement-breakpoint
INSERT INTO registry_counter (id, seq) VALUES (1, 0);
--> statement-breakpoint
CREATE TABLE deployment (
  id smallint PRIMARY KEY CHECK (id = 1),
  master_key_check text NOT NULL,
  created_at timestamptz NOT NULL
);
--> statement-breakpoint
CREATE TABLE audit (
  seq bigint NOT NULL,
  ordinal integer NOT NULL,
  at timestamptz NOT NULL,
  actor jsonb NOT NULL,
  action text NOT NULL,
  authority_id uuid,
  subject_kind text NOT NULL,
  subject_id text NOT NULL,
  before jsonb,
  after jsonb,
  reason text,
  request_id text,
  PRIMARY KEY (seq, ordinal)
);
--> statement-breakpoint
CREATE INDEX audit_subject ON audit (subject_kind, subject_id, seq);
--> statement-breakpoint
CREATE INDEX audit_authority ON audit (authority_id, seq);
--> statement-breakpoint
CREATE TABLE authorities (
  id uuid PRIMARY KEY,
  entity_identifier text NOT NULL UNIQUE,
  location text NOT NULL UNIQUE,
  name text NOT NULL,
  authority_hints jsonb NOT NULL,
  metadata jsonb NOT NULL,
  default_metadata_policy jsonb NOT NULL,
  default_constraints jsonb,
  configuration_lifetime_seconds integer NOT NULL CHECK (configuration_lifetime_seconds > 0),
  statement_lifetime_seconds integer NOT NULL CHECK (statement_lifetime_seconds > 0),
  resolve_lifetime_seconds integer NOT NULL CHECK (resolve_lifetime_seconds > 0),
  version integer NOT NULL,
  created_at timestamptz NOT NULL
);
--> statement-breakpoint
CREATE TABLE authority_keys (
  id uuid PRIMARY KEY,
  authority_id uuid NOT NULL REFERENCES authorities (id),
  kid text NOT NULL UNIQUE,
  alg text NOT NULL,
  purpose text NOT NULL,
  public_jwk jsonb NOT NULL,
  sealed_private_key bytea,
  state text NOT NULL CHECK (state IN ('active', 'retired', 'revoked')),
  created_at timestamptz NOT NULL,
  expires_at timestamptz,
  revoked_at timestamptz,
  revocation_reason text
);
--> statement-breakpoint
CREATE INDEX authority_keys_authority ON authority_keys (authority_id);
--> statement-breakpoint
CREATE TABLE organisations (
  id uuid PRIMARY KEY,
  authority_id uuid NOT NULL REFERENCES authorities (id),
  name text NOT NULL,
  contacts jsonb NOT NULL,
  state text NOT NULL CHECK (state IN ('pending', 'active', 'rejected', 'suspended', 'withdrawn', 'revoked')),
  state_reason text,
  state_changed_at timestamptz NOT NULL,
  version integer NOT NULL,
  created_at timestamptz NOT NULL
);
--> statement-breakpoint
CREATE INDEX organisations_authority ON organisations (authority_id, id);
--> statement-breakpoint
CREATE TABLE entities (
  id uuid PRIMARY KEY,
  authority_id uuid NOT NULL REFERENCES authorities (id),
  organisation_id uuid NOT NULL REFERENCES organisations (id),
  previous_id uuid REFERENCES entities (id),
  entity_identifier text NOT NULL,
  enrolment text NOT NULL CHECK (enrolment IN ('published', 'handed_over')),
  registered_entity_types jsonb NOT NULL,
  registered_intermediate boolean NOT NULL,
  verified_entity_types jsonb,
  verified_intermediate boolean,
  metadata jsonb NOT NULL,
  metadata_policy jsonb NOT NULL,
  constraints jsonb,
  additional_claims jsonb NOT NULL,
  crit jsonb NOT NULL,
  statement_lifetime_seconds integer CHECK (statement_lifetime_seconds > 0),
  checks jsonb NOT NULL,
  evidence jsonb NOT NULL,
  state text NOT NULL CHECK (state IN ('pending', 'active', 'rejected', 'suspended', 'withdrawn', 'revoked')),
  state_reason text,
  state_changed_at timestamptz NOT NULL,
  version integer NOT NULL,
  created_at timestamptz NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX entities_live_identifier ON entities (authority_id, entity_identifier)
  WHERE state IN ('pending', 'active', 'suspended');
--> statement-breakpoint
CREATE INDEX entities_identifier ON entities (entity_identifier, authority_id);
--> statement-breakpoint
CREATE INDEX entities_authority ON entities (authority_id, id);
--> statement-breakpoint
CREATE INDEX entities_organisation ON entities (organisation_id);
--> statement-breakpoint
CREATE TABLE entity_keys (
  entity_id uuid NOT NULL REFERENCES entities (id),
  kid text NOT NULL,
  position integer NOT NULL,
  public_jwk jsonb NOT NULL,
  expires_at timestamptz,
  removed_at timestamptz,
  added_at timestamptz NOT NULL,
  PRIMARY KEY (entity_id, kid)
);
--> statement-breakpoint
CREATE TABLE enrolment_challenges (
  challenge text PRIMARY KEY,
  authority_id uuid NOT NULL REFERENCES authorities (id),
  entity_identifier text NOT NULL,
  created_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  used_at timestamptz
);
--> statement-breakpoint
CREATE TABLE trust_anchors (
  id uuid PRIMARY KEY,
  authority_id uuid NOT NULL REFERENCES authorities (id),
  entity_identifier text NOT NULL,
  jwks jsonb NOT NULL,
  version integer NOT NULL,
  created_at timestamptz NOT NULL,
  UNIQUE (authority_id, entity_identifier)
);
--> statement-breakpoint
CREATE TABLE api_tokens (
  id uuid PRIMARY KEY,
  name text NOT NULL,
  token_hash bytea NOT NULL UNIQUE,
  roles jsonb NOT NULL,
  authority_ids jsonb,
  created_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  revoked_at timestamptz
);
--> statement-breakpoint
CREATE TABLE idempotency_keys (
  actor_id text NOT NULL,
  key text NOT NULL,
  request_hash text NOT NULL,
  subject_id uuid NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (actor_id, key)
);
--> statement-breakpoint
CREATE TABLE issued_statements (
  authority_id uuid NOT NULL REFERENCES authorities (id),
  kind text NOT NULL CHECK (kind IN ('entity-configuration', 'subordinate-statement')),
  subject text NOT NULL,
  claims_hash text NOT NULL,
  basis_version bigint NOT NULL,
  jwt text NOT NULL,
  issued_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  refresh_at timestamptz NOT NULL,
  PRIMARY KEY (authority_id, kind, subject)
);
