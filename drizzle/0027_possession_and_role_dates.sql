-- Whether whoever handed in a credential showed that he has its private key. Of those on record nobody asked for it.
ALTER TABLE credentials
  ADD COLUMN possession text NOT NULL DEFAULT 'unproven' CHECK (possession IN ('unproven', 'proven'));
--> statement-breakpoint

-- What of the dates of a role stands in the audit already; readers go by the dates alone. What passed until now is known.
ALTER TABLE role_assignments
  ADD COLUMN recorded_state text NOT NULL DEFAULT 'active' CHECK (recorded_state IN ('upcoming', 'active', 'ended'));
--> statement-breakpoint
UPDATE role_assignments SET recorded_state = CASE WHEN valid_to <= now() THEN 'ended' ELSE 'upcoming' END
WHERE state = 'active' AND (valid_to <= now() OR valid_from > now());
--> statement-breakpoint
CREATE INDEX role_assignments_dated ON role_assignments (id)
  WHERE state = 'active' AND (valid_from IS NOT NULL OR valid_to IS NOT NULL OR recorded_state <> 'active');
