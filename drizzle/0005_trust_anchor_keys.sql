-- What was seen of the keys of pinned Trust Anchors: those learned from a rollover, and the last alarm. A row counts as
-- long as the pins are those that it was seen with, so that nothing outlives new pins.

CREATE TABLE trust_anchor_keys (
  trust_anchor_id uuid PRIMARY KEY REFERENCES trust_anchors (id) ON DELETE CASCADE,
  -- `version` of the pins.
  pinned_version integer NOT NULL,
  learned_jwks jsonb,
  -- `iat` of the configuration that they were learned from, seconds since the epoch.
  learned_iat double precision,
  learned_at timestamptz,
  alarm_jwks jsonb,
  alarm_at timestamptz,
  CHECK (num_nulls(learned_jwks, learned_iat, learned_at) IN (0, 3)),
  CHECK (num_nulls(alarm_jwks, alarm_at) IN (0, 2))
);
