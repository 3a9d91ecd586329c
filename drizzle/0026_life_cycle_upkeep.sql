-- Findings are taken in batches of a kind; mails that are over are found without a look at all that ever were.

CREATE INDEX directory_findings_kind ON directory_findings (kind, subject_id);
--> statement-breakpoint
CREATE INDEX outgoing_mails_sent ON outgoing_mails (sent_at) WHERE sent_at IS NOT NULL;
--> statement-breakpoint
CREATE INDEX outgoing_mails_failed ON outgoing_mails (failed_at) WHERE failed_at IS NOT NULL;
