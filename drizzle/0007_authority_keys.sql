-- Keys of authorities have a life: announced → active → retired → historical, or → revoked from any of these.

ALTER TABLE authority_keys DROP CONSTRAINT authority_keys_state_check;
--> statement-breakpoint

-- What was called retired stood among the historical keys already.
UPDATE authority_keys SET state = 'historical' WHERE state = 'retired';
--> statement-breakpoint

ALTER TABLE authority_keys
  ADD CONSTRAINT authority_keys_state_check
    CHECK (state IN ('announced', 'active', 'retired', 'historical', 'revoked')),
  ADD COLUMN activate_after timestamptz,
  ADD COLUMN activated_at timestamptz,
  ADD COLUMN retired_at timestamptz,
  ADD COLUMN remove_after timestamptz,
  ADD COLUMN longest_lifetime_seconds integer NOT NULL DEFAULT 0 CHECK (longest_lifetime_seconds >= 0),
  ADD COLUMN custody text NOT NULL DEFAULT 'sealed',
  ADD COLUMN token_object text;
--> statement-breakpoint

-- Nobody recorded what lifetimes were in force while these keys signed: the longest that may be configured is safe.
UPDATE authority_keys SET activated_at = created_at, longest_lifetime_seconds = 7776000 WHERE state = 'active';
--> statement-breakpoint

CREATE UNIQUE INDEX authority_keys_active ON authority_keys (authority_id) WHERE state = 'active';
--> statement-breakpoint

CREATE UNIQUE INDEX authority_keys_announced ON authority_keys (authority_id) WHERE state = 'announced';
--> statement-breakpoint

ALTER TABLE authorities
  ADD COLUMN key_announce_seconds integer CHECK (key_announce_seconds > 0),
  ADD COLUMN key_roll_interval_seconds integer CHECK (key_roll_interval_seconds > 0),
  ADD COLUMN is_standby_key_kept boolean NOT NULL DEFAULT false;
--> statement-breakpoint

-- What was seen of an announced key at each superior of its authority: observations, made anew all the time.
CREATE TABLE authority_key_sightings (
  key_id uuid NOT NULL REFERENCES authority_keys (id),
  superior text NOT NULL,
  -- Since when every look found the key in the superior's statement; null while the last one did not.
  listed_at timestamptz,
  -- The longest life of any statement that was seen, with the key or without.
  longest_statement_seconds integer NOT NULL,
  -- The last look that succeeded, and the last attempt with why it failed.
  seen_at timestamptz,
  attempted_at timestamptz NOT NULL,
  failure text,
  PRIMARY KEY (key_id, superior)
);
