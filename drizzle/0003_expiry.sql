-- Whatever has served its time is found and deleted without reading the whole table.

CREATE INDEX enrolment_challenges_expiry ON enrolment_challenges (expires_at);
--> statement-breakpoint

CREATE INDEX idempotency_keys_age ON idempotency_keys (created_at);
