-- Requests to be enrolled that came without a token: where from, and one open one for each entity that signs. Terms that
-- an organisation accepts no more.

ALTER TABLE enrolments ADD COLUMN asked_from text;
--> statement-breakpoint

-- Two that came at the same moment could both be written down; the one that is further stays.
UPDATE enrolments
SET state = 'lapsed', state_reason = 'asked twice at once; another one is open', state_changed_at = now(),
  lapses_at = NULL, next_run_at = NULL, version = version + 1
WHERE id IN (
  SELECT id FROM (
    SELECT id, row_number() OVER (
      PARTITION BY authority_id, entity_identifier
      ORDER BY entity_id IS NULL, organisation_id IS NULL, created_at, id) AS place
    FROM enrolments
    WHERE submitted_via = 'signed_request' AND state IN ('draft', 'submitted', 'checks_failed', 'pending_approval')
  ) AS open_requests
  WHERE place > 1);
--> statement-breakpoint
CREATE UNIQUE INDEX enrolments_open_signed_request ON enrolments (authority_id, entity_identifier)
  WHERE submitted_via = 'signed_request' AND state IN ('draft', 'submitted', 'checks_failed', 'pending_approval');
--> statement-breakpoint

-- Looked at before one more is written down.
CREATE INDEX enrolments_waiting ON enrolments (authority_id, submitted_via)
  WHERE organisation_id IS NULL AND state IN ('draft', 'submitted', 'checks_failed', 'pending_approval');
--> statement-breakpoint

ALTER TABLE organisation_terms
  ADD COLUMN withdrawn_at timestamptz,
  ADD COLUMN withdrawn_by jsonb,
  ADD COLUMN withdrawal_reason text;
