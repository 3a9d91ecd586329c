-- The audit proves itself: every row has a hash over its members and the hash of the row before it, and rows are only
-- ever added. src/storage/audit-chain.ts chains what is there already, then makes `hash` mandatory.

-- Locks are taken in the order of whoever adds rows, the counter first: nodes of the version before may be doing so.
ALTER TABLE registry_counter
  -- What the chain begins with: drawn by chance, so that it is this deployment's alone.
  ADD COLUMN audit_genesis text NOT NULL
    DEFAULT translate(rtrim(encode(sha256(convert_to(gen_random_uuid()::text, 'UTF8')), 'base64'), '='), '+/', '-_'),
  -- The last hash of the chain; null until the rows from before it are chained.
  ADD COLUMN audit_hash text,
  ADD COLUMN audit_rows bigint NOT NULL DEFAULT 0 CHECK (audit_rows >= 0);
--> statement-breakpoint

ALTER TABLE audit ADD COLUMN hash text;
--> statement-breakpoint

CREATE FUNCTION refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' THEN
    -- A row from before the chain gets its hash, and nothing else.
    IF OLD.hash IS NULL THEN
      OLD.hash := NEW.hash;
      IF OLD IS NOT DISTINCT FROM NEW THEN
        RETURN NEW;
      END IF;
    END IF;
  END IF;
  RAISE EXCEPTION 'the audit is append-only: its rows are neither changed nor deleted'
    USING ERRCODE = 'insufficient_privilege';
END $$;
--> statement-breakpoint

CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE ON audit
  FOR EACH ROW EXECUTE FUNCTION refuse_audit_change();
--> statement-breakpoint

CREATE TRIGGER audit_not_emptied BEFORE TRUNCATE ON audit
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change();
--> statement-breakpoint

-- Also for whoever replays changes of another database into this one.
ALTER TABLE audit ENABLE ALWAYS TRIGGER audit_append_only, ENABLE ALWAYS TRIGGER audit_not_emptied;
--> statement-breakpoint

-- What the chain was at a seq, signed by an authority.
CREATE TABLE audit_checkpoints (
  authority_id uuid NOT NULL REFERENCES authorities (id),
  seq bigint NOT NULL,
  hash text NOT NULL,
  rows bigint NOT NULL,
  jwt text NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (authority_id, seq)
);
