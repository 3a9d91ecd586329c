-- Statements of entities elsewhere, as received: shared by all nodes and kept over restarts. They are validated again
-- whenever they are used. A cache: it may be emptied at any time.

CREATE TABLE retrieved_statements (
  -- SHA-256 of issuer and subject, for identifiers may be longer than an index takes.
  name text PRIMARY KEY,
  issuer text NOT NULL,
  subject text NOT NULL,
  jwt text NOT NULL,
  etag text,
  retrieved_at timestamptz NOT NULL,
  fresh_until timestamptz NOT NULL,
  expires_at timestamptz NOT NULL
);
--> statement-breakpoint

CREATE INDEX retrieved_statements_age ON retrieved_statements (retrieved_at);
