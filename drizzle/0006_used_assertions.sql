-- Client assertions that were used: none is accepted again, at whichever node and after whatever restart.

CREATE TABLE used_assertions (
  -- SHA-256 of the client's Entity Identifier, and of audience and jti: what a client writes takes no more room.
  client text NOT NULL,
  jti text NOT NULL,
  -- From then on no node accepts the assertion anyway.
  expires_at timestamptz NOT NULL,
  PRIMARY KEY (client, jti)
);
--> statement-breakpoint

CREATE INDEX used_assertions_expiry ON used_assertions (expires_at);
