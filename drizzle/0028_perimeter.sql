-- Who is let in: what certificates and tokens are believed, where that is asked, what was answered, and who has heard of it.

-- Purposes for which an authority believes only certificates below one of its trust list; empty: whatever is registered counts.
ALTER TABLE authorities
  ADD COLUMN listed_purposes jsonb NOT NULL DEFAULT '[]';
--> statement-breakpoint
CREATE TABLE trust_list_entries (
  id uuid PRIMARY KEY,
  authority_id uuid NOT NULL REFERENCES authorities (id),
  purpose text NOT NULL CHECK (purpose IN ('transport', 'signing')),
  name text NOT NULL,
  certificate text NOT NULL,
  x5t_s256 text NOT NULL,
  subject text NOT NULL,
  not_before timestamptz NOT NULL,
  not_after timestamptz NOT NULL,
  version integer NOT NULL,
  created_at timestamptz NOT NULL,
  removed_at timestamptz
);
--> statement-breakpoint
CREATE UNIQUE INDEX trust_list_entries_certificate ON trust_list_entries (authority_id, purpose, x5t_s256)
  WHERE removed_at IS NULL;
--> statement-breakpoint

-- The way from a certificate up to an entry of the list, found when it was registered or looked at anew.
ALTER TABLE credentials
  ADD COLUMN path jsonb,
  ADD COLUMN path_judged_at timestamptz;
--> statement-breakpoint
CREATE INDEX credentials_path_judged ON credentials (authority_id, usage, path_judged_at) WHERE kind = 'x509';
--> statement-breakpoint

ALTER TABLE api_resources
  ADD COLUMN required_roles jsonb NOT NULL DEFAULT '[]',
  ADD COLUMN audience text;
--> statement-breakpoint

-- What an entity got with its client certificate counts with that certificate alone.
ALTER TABLE entity_tokens
  ALTER COLUMN kid DROP NOT NULL,
  ADD COLUMN x5t_s256 text,
  ADD CONSTRAINT entity_tokens_proof CHECK ((kid IS NULL) <> (x5t_s256 IS NULL));
--> statement-breakpoint

CREATE TABLE enforcement_points (
  id uuid PRIMARY KEY,
  authority_id uuid NOT NULL REFERENCES authorities (id),
  name text NOT NULL,
  mode text NOT NULL CHECK (mode IN ('live', 'test')),
  environment text NOT NULL,
  api_id uuid REFERENCES api_resources (id),
  max_staleness_seconds integer NOT NULL CHECK (max_staleness_seconds BETWEEN 1 AND 86400),
  is_token_required boolean NOT NULL,
  certificate_header text NOT NULL CHECK (certificate_header IN ('rfc9440', 'nginx', 'xfcc', 'traefik', 'caddy', 'apache')),
  token_digest text,
  client_x5t_s256 text,
  allow_sample integer NOT NULL CHECK (allow_sample BETWEEN 0 AND 1000000),
  canary_url text,
  state text NOT NULL CHECK (state IN ('active', 'suspended', 'removed')),
  state_reason text,
  state_changed_at timestamptz NOT NULL,
  version integer NOT NULL,
  created_at timestamptz NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX enforcement_points_name ON enforcement_points (authority_id, name) WHERE state <> 'removed';
--> statement-breakpoint
CREATE UNIQUE INDEX enforcement_points_token ON enforcement_points (token_digest) WHERE token_digest IS NOT NULL;
--> statement-breakpoint
-- Beside a token the certificate finds nobody, so several may have it: none can take another's by recording it.
CREATE UNIQUE INDEX enforcement_points_client ON enforcement_points (client_x5t_s256)
  WHERE client_x5t_s256 IS NOT NULL AND token_digest IS NULL AND state <> 'removed';
--> statement-breakpoint

CREATE TABLE token_issuers (
  id uuid PRIMARY KEY,
  authority_id uuid NOT NULL REFERENCES authorities (id),
  issuer text NOT NULL,
  audiences jsonb NOT NULL,
  jwks jsonb,
  jwks_uri text,
  introspection jsonb,
  sealed_secret bytea,
  accepts_untyped_tokens boolean NOT NULL,
  state text NOT NULL CHECK (state IN ('active', 'removed')),
  version integer NOT NULL,
  created_at timestamptz NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX token_issuers_issuer ON token_issuers (authority_id, issuer) WHERE state = 'active';
--> statement-breakpoint

-- What was answered: nothing but hashes of what was shown. Each node chains its own rows.
CREATE TABLE decisions (
  chain uuid NOT NULL,
  ordinal bigint NOT NULL,
  authority_id uuid NOT NULL,
  enforcement_point_id uuid NOT NULL,
  decision text NOT NULL CHECK (decision IN ('allow', 'deny')),
  reasons jsonb NOT NULL,
  entity_id uuid,
  organisation_id uuid,
  api_id uuid,
  on_behalf_of uuid,
  certificate_sha256 text,
  token_sha256 text,
  seq bigint NOT NULL,
  count bigint NOT NULL CHECK (count > 0),
  decided_at timestamptz NOT NULL,
  hash text NOT NULL,
  PRIMARY KEY (chain, ordinal)
);
--> statement-breakpoint
CREATE INDEX decisions_by_time ON decisions (decided_at DESC, chain, ordinal);
--> statement-breakpoint
CREATE INDEX decisions_by_entity ON decisions (entity_id, decided_at DESC) WHERE entity_id IS NOT NULL;
--> statement-breakpoint
CREATE INDEX decisions_by_organisation ON decisions (organisation_id, decided_at DESC) WHERE organisation_id IS NOT NULL;
--> statement-breakpoint
CREATE INDEX decisions_by_point ON decisions (enforcement_point_id, decided_at DESC);
--> statement-breakpoint

-- How each chain ends, and where it begins since its owner pruned it; what is missing elsewhere somebody took away.
CREATE TABLE decision_chains (
  chain uuid PRIMARY KEY,
  -- Rows so far, pruned ones included; and the hash of the last one.
  rows bigint NOT NULL,
  hash text NOT NULL,
  -- Rows that were pruned, and the hash of the last one of these.
  pruned_rows bigint NOT NULL DEFAULT 0,
  pruned_hash text,
  started_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
--> statement-breakpoint
CREATE FUNCTION refuse_decision_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the decision log is append-only: its rows are not changed; `holdfast decisions prune` deletes old ones'
    USING ERRCODE = 'insufficient_privilege';
END $$;
--> statement-breakpoint
CREATE TRIGGER decisions_append_only BEFORE UPDATE ON decisions
  FOR EACH ROW EXECUTE FUNCTION refuse_decision_change();
--> statement-breakpoint
CREATE TRIGGER decisions_not_emptied BEFORE TRUNCATE ON decisions
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_decision_change();
--> statement-breakpoint
ALTER TABLE decisions ENABLE ALWAYS TRIGGER decisions_append_only, ENABLE ALWAYS TRIGGER decisions_not_emptied;
--> statement-breakpoint

-- When a change was written, by the clock of the database: what its way to the enforcement points is measured from.
ALTER TABLE audit ADD COLUMN written_at timestamptz;
--> statement-breakpoint
ALTER TABLE audit ALTER COLUMN written_at SET DEFAULT clock_timestamp();
--> statement-breakpoint

-- Which seq an enforcement point was first known to act on, and when; by the clock of the database, too.
CREATE TABLE enforcement_point_acknowledgements (
  enforcement_point_id uuid NOT NULL REFERENCES enforcement_points (id),
  seq bigint NOT NULL,
  via text NOT NULL CHECK (via IN ('call', 'stream')),
  acknowledged_at timestamptz NOT NULL,
  PRIMARY KEY (enforcement_point_id, seq)
);
--> statement-breakpoint
CREATE INDEX enforcement_point_acknowledgements_seq ON enforcement_point_acknowledgements (seq);
--> statement-breakpoint
CREATE TABLE enforcement_point_sightings (
  enforcement_point_id uuid PRIMARY KEY REFERENCES enforcement_points (id),
  seq bigint NOT NULL,
  seen_at timestamptz NOT NULL
);
--> statement-breakpoint

-- A member that is always suspended knocks at every gateway.
CREATE TABLE canary_trials (
  enforcement_point_id uuid NOT NULL REFERENCES enforcement_points (id),
  tried_at timestamptz NOT NULL,
  outcome text NOT NULL CHECK (outcome IN ('refused', 'admitted', 'unclear')),
  status integer,
  detail text NOT NULL,
  PRIMARY KEY (enforcement_point_id, tried_at)
);
--> statement-breakpoint
-- When it knocks next; whoever moves that on does the knocking.
CREATE TABLE canary_turns (
  enforcement_point_id uuid PRIMARY KEY REFERENCES enforcement_points (id),
  next_at timestamptz NOT NULL
);
