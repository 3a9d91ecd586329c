-- Certificates of our own: who issues them, what is asked for, what is published about those that count no more.

CREATE TABLE certification_authorities (
  id uuid PRIMARY KEY,
  authority_id uuid NOT NULL REFERENCES authorities (id),
  name text NOT NULL,
  -- pending: its key is there, its certificate is not.
  state text NOT NULL CHECK (state IN ('pending', 'active', 'retired')),
  kid text NOT NULL UNIQUE,
  alg text NOT NULL CHECK (alg IN ('ES256', 'ES384', 'RS256')),
  purpose text NOT NULL DEFAULT 'certification-authority' CHECK (purpose = 'certification-authority'),
  public_jwk jsonb NOT NULL,
  sealed_private_key bytea,
  custody text NOT NULL CHECK (custody IN ('sealed', 'pkcs11')),
  token_object text,
  -- PKCS#10, for whoever certifies it.
  request bytea NOT NULL,
  -- Its own certificate first, then those above it, base64 of DER.
  x5c jsonb,
  x5t_s256 text,
  not_before timestamptz,
  not_after timestamptz,
  -- Where clients find its lists of revocations and its responder; in each certificate that it issues.
  public_url text NOT NULL,
  -- Longest validity of what it issues, in days, by profile.
  validity_days jsonb NOT NULL,
  -- How long an old certificate counts beside the one that renews it.
  overlap_days integer NOT NULL CHECK (overlap_days BETWEEN 0 AND 90),
  revocation_list_lifetime_seconds integer NOT NULL,
  -- Of the newest list; counted on with each.
  revocation_list_number bigint NOT NULL DEFAULT 0,
  activated_at timestamptz,
  retired_at timestamptz,
  version integer NOT NULL,
  created_at timestamptz NOT NULL,
  -- One that never got its certificate may be retired as well.
  CHECK (num_nonnulls(x5c, x5t_s256, not_before, not_after, activated_at) IN (0, 5)),
  CHECK (state = 'retired' OR (state = 'active') = (x5c IS NOT NULL)),
  CHECK ((state = 'retired') = (retired_at IS NOT NULL)),
  CHECK ((custody = 'sealed') = (sealed_private_key IS NOT NULL)),
  CHECK ((custody = 'pkcs11') = (token_object IS NOT NULL))
);
--> statement-breakpoint
CREATE UNIQUE INDEX certification_authorities_name ON certification_authorities (authority_id, lower(name));
--> statement-breakpoint
ALTER TABLE credentials ADD COLUMN certification_authority_id uuid REFERENCES certification_authorities (id);
--> statement-breakpoint
-- No serial number is given twice (RFC 5280 §4.1.2.2).
CREATE UNIQUE INDEX credentials_issued ON credentials (certification_authority_id, serial)
  WHERE certification_authority_id IS NOT NULL;
--> statement-breakpoint
-- When the clock alone changes the next status.
CREATE INDEX credentials_issued_superseded ON credentials (certification_authority_id, superseded_at)
  WHERE certification_authority_id IS NOT NULL AND superseded_at IS NOT NULL;
--> statement-breakpoint

-- Who answers for one about the status of certificates (RFC 6960 §2.6), for a short time each.
CREATE TABLE ocsp_signers (
  id uuid PRIMARY KEY,
  certification_authority_id uuid NOT NULL REFERENCES certification_authorities (id),
  kid text NOT NULL UNIQUE,
  alg text NOT NULL CHECK (alg IN ('ES256', 'ES384', 'RS256')),
  purpose text NOT NULL DEFAULT 'ocsp-responder' CHECK (purpose = 'ocsp-responder'),
  public_jwk jsonb NOT NULL,
  sealed_private_key bytea,
  custody text NOT NULL CHECK (custody IN ('sealed', 'pkcs11')),
  token_object text,
  certificate bytea NOT NULL,
  not_before timestamptz NOT NULL,
  not_after timestamptz NOT NULL,
  created_at timestamptz NOT NULL,
  CHECK ((custody = 'pkcs11') = (token_object IS NOT NULL))
);
--> statement-breakpoint
CREATE INDEX ocsp_signers_authority ON ocsp_signers (certification_authority_id, not_after);
--> statement-breakpoint

CREATE TABLE certificate_revocation_lists (
  certification_authority_id uuid NOT NULL REFERENCES certification_authorities (id),
  number bigint NOT NULL,
  this_update timestamptz NOT NULL,
  next_update timestamptz NOT NULL,
  -- It holds every change up to this one.
  seq bigint NOT NULL,
  -- When the clock alone changes what belongs on it.
  changes_at timestamptz,
  entries integer NOT NULL,
  -- Of all that it says of certificates: another list is made when this is another one.
  digest text NOT NULL,
  der bytea NOT NULL,
  PRIMARY KEY (certification_authority_id, number)
);
--> statement-breakpoint

CREATE TABLE certificate_requests (
  id uuid PRIMARY KEY,
  authority_id uuid NOT NULL REFERENCES authorities (id),
  entity_id uuid NOT NULL REFERENCES entities (id),
  certification_authority_id uuid NOT NULL REFERENCES certification_authorities (id),
  profile text NOT NULL CHECK (profile IN ('client', 'server', 'signing')),
  state text NOT NULL CHECK (state IN ('pending', 'issued', 'rejected', 'lapsed')),
  -- PKCS#10 as it came, and what of it counts.
  request bytea NOT NULL,
  spki_sha256 text NOT NULL,
  -- The certificate that it is to take the place of.
  replaces uuid REFERENCES credentials (id),
  credential_id uuid REFERENCES credentials (id),
  channel text NOT NULL CHECK (channel IN ('api', 'est')),
  requested_by jsonb NOT NULL,
  decided_by jsonb,
  decided_at timestamptz,
  reason text,
  version integer NOT NULL,
  created_at timestamptz NOT NULL,
  CHECK ((state = 'issued') = (credential_id IS NOT NULL)),
  CHECK ((state = 'pending') = (decided_at IS NULL))
);
--> statement-breakpoint
CREATE INDEX certificate_requests_entity ON certificate_requests (entity_id, id);
--> statement-breakpoint
CREATE INDEX certificate_requests_authority ON certificate_requests (authority_id, state, id);
--> statement-breakpoint
-- What a certificate came of, and who asked to renew it.
CREATE UNIQUE INDEX certificate_requests_credential ON certificate_requests (credential_id) WHERE credential_id IS NOT NULL;
--> statement-breakpoint
CREATE INDEX certificate_requests_replaces ON certificate_requests (replaces) WHERE replaces IS NOT NULL;
--> statement-breakpoint
-- A key waits once, whoever shows it.
CREATE UNIQUE INDEX certificate_requests_waiting ON certificate_requests (spki_sha256) WHERE state = 'pending';
--> statement-breakpoint

-- For one request each: whoever has the code may ask for a certificate of this application without any token.
CREATE TABLE certificate_codes (
  id uuid PRIMARY KEY,
  authority_id uuid NOT NULL REFERENCES authorities (id),
  entity_id uuid NOT NULL REFERENCES entities (id),
  certification_authority_id uuid NOT NULL REFERENCES certification_authorities (id),
  profile text NOT NULL CHECK (profile IN ('client', 'server', 'signing')),
  -- SHA-256 of the code, base64url.
  code_sha256 text NOT NULL UNIQUE,
  -- Made by somebody who may approve: then nobody has to approve what comes with it.
  is_approval boolean NOT NULL,
  made_by jsonb NOT NULL,
  created_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  -- SHA-256 of the request that it was used for; the same may be sent again until it expires.
  used_at timestamptz,
  request_sha256 text,
  request_id uuid REFERENCES certificate_requests (id),
  CHECK (num_nonnulls(used_at, request_sha256, request_id) IN (0, 3))
);
--> statement-breakpoint
CREATE INDEX certificate_codes_expiry ON certificate_codes (expires_at);
--> statement-breakpoint

-- That a certificate ends soon is told once for each of some numbers of days.
CREATE TABLE certificate_reminders (
  credential_id uuid NOT NULL REFERENCES credentials (id),
  days integer NOT NULL,
  told_at timestamptz NOT NULL,
  PRIMARY KEY (credential_id, days)
);
--> statement-breakpoint

-- Whoever asks for a certificate brings no key that an entity has for something else.
CREATE INDEX entity_keys_public_jwk ON entity_keys USING gin (public_jwk jsonb_path_ops);
