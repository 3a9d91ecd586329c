-- Credentials: certificates and keys of entities, beside their Federation Entity Keys (entity_keys).

CREATE TABLE credentials (
  id uuid PRIMARY KEY,
  authority_id uuid NOT NULL REFERENCES authorities (id),
  entity_id uuid NOT NULL REFERENCES entities (id),
  kind text NOT NULL CHECK (kind IN ('x509', 'jwk')),
  usage text NOT NULL CHECK (usage IN ('transport', 'signing', 'encryption')),
  source text NOT NULL CHECK (source IN ('external', 'issued')),
  environment text NOT NULL,
  kid text NOT NULL,
  public_jwk jsonb NOT NULL,
  spki_sha256 text NOT NULL,
  x5t_s256 text,
  x5c jsonb,
  subject text,
  issuer text,
  serial text,
  not_before timestamptz,
  not_after timestamptz,
  state text NOT NULL CHECK (state IN ('active', 'on_hold', 'revoked')),
  state_reason text,
  state_changed_at timestamptz NOT NULL,
  revocation_reason text,
  revoked_at timestamptz,
  supersedes uuid REFERENCES credentials (id),
  -- From then on another one has taken its place; the date acts by itself.
  superseded_at timestamptz,
  version integer NOT NULL,
  created_at timestamptz NOT NULL,
  CHECK ((kind = 'x509') = (num_nonnulls(x5t_s256, x5c, subject, issuer, serial, not_before, not_after) = 7)),
  CHECK (kind = 'x509' OR num_nonnulls(x5t_s256, x5c, subject, issuer, serial) = 0),
  CHECK (not_before < not_after),
  CHECK ((state = 'revoked') = (revoked_at IS NOT NULL AND revocation_reason IS NOT NULL)),
  CHECK (supersedes <> id)
);
--> statement-breakpoint
CREATE INDEX credentials_entity ON credentials (entity_id, id);
--> statement-breakpoint
CREATE INDEX credentials_authority ON credentials (authority_id, id);
--> statement-breakpoint
CREATE INDEX credentials_certificate ON credentials (x5t_s256);
--> statement-breakpoint
CREATE INDEX credentials_key ON credentials (spki_sha256);
--> statement-breakpoint
CREATE INDEX credentials_not_after ON credentials (not_after) WHERE state <> 'revoked';
--> statement-breakpoint
CREATE UNIQUE INDEX credentials_successor ON credentials (supersedes);
--> statement-breakpoint

-- Whose a transport key is: of one entity, and so of one environment. Only when that entity has no use for it any more
-- does the row become another one's.
CREATE TABLE transport_keys (
  spki_sha256 text PRIMARY KEY,
  entity_id uuid NOT NULL REFERENCES entities (id)
);
