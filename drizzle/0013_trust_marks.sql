-- What was given out and counts until it expires: every JWT of a delegation with the key that signed it. A renewal used
-- to forget the one before.

CREATE TABLE issued_delegations (
  delegation_id uuid NOT NULL REFERENCES trust_mark_delegations (id),
  -- That of the delegation which it says.
  version integer NOT NULL,
  kid text NOT NULL,
  issued_at timestamptz NOT NULL,
  expires_at timestamptz,
  PRIMARY KEY (delegation_id, version)
);
--> statement-breakpoint
CREATE INDEX issued_delegations_kid ON issued_delegations (kid);
--> statement-breakpoint
INSERT INTO issued_delegations (delegation_id, version, kid, issued_at, expires_at)
SELECT id, version, kid, created_at, expires_at FROM trust_mark_delegations;
--> statement-breakpoint
DROP INDEX trust_mark_delegations_kid;
--> statement-breakpoint
-- Whether a key still has marks in force is asked at each roll.
DROP INDEX issued_trust_marks_kid;
--> statement-breakpoint
CREATE INDEX issued_trust_marks_kid ON issued_trust_marks (kid, expires_at);
--> statement-breakpoint
-- Marks tell their end in whole seconds.
UPDATE trust_marks SET expires_at = date_trunc('second', expires_at)
WHERE expires_at <> date_trunc('second', expires_at);
--> statement-breakpoint
-- Nobody needs a mark that is shown no longer.
UPDATE held_trust_marks SET jwt = '' WHERE state = 'dropped';
