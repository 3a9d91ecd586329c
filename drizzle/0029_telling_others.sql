-- What others are told of a change: one row an event, written with the change itself. A suspension is one event.
CREATE TABLE events (
  seq bigint NOT NULL,
  -- Position within the change, from 0.
  ordinal integer NOT NULL,
  type text NOT NULL,
  -- Null for what concerns the whole deployment.
  authority_id uuid REFERENCES authorities (id),
  subject_kind text NOT NULL,
  subject_id text NOT NULL,
  -- Whom it is about, as far as it is about a member.
  organisation_id uuid REFERENCES organisations (id),
  entity_id uuid REFERENCES entities (id),
  -- Roles that the member had before or after it, by their ids: what receivers filter by.
  role_ids jsonb NOT NULL,
  -- Organisations and entities whose status is another from then on; null: none.
  statuses jsonb,
  data jsonb NOT NULL,
  at timestamptz NOT NULL,
  -- By the clock of the database, to measure its way.
  written_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (seq, ordinal)
);
--> statement-breakpoint
CREATE INDEX events_statuses ON events (seq, ordinal) WHERE statuses IS NOT NULL;
--> statement-breakpoint

-- One row: which events there are no more, or never were.
CREATE TABLE event_stream (
  id smallint PRIMARY KEY CHECK (id = 1),
  -- Of changes up to this seq no events are kept.
  pruned_through_seq bigint NOT NULL
);
--> statement-breakpoint
INSERT INTO event_stream (id, pruned_through_seq) SELECT 1, seq FROM registry_counter WHERE id = 1;
--> statement-breakpoint

-- Who is told of events, and how far that has come.
CREATE TABLE webhooks (
  id uuid PRIMARY KEY,
  -- Null: events of all authorities.
  authority_id uuid REFERENCES authorities (id),
  name text NOT NULL,
  url text NOT NULL,
  sealed_secret bytea NOT NULL,
  -- The secret before the last rotation signs as well until then.
  previous_sealed_secret bytea,
  previous_secret_until timestamptz,
  -- Types of events, or whole kinds such as organisation.*; none: all.
  types jsonb NOT NULL DEFAULT '[]',
  -- Roles by their ids, of which the member has one; none: all events.
  role_ids jsonb NOT NULL DEFAULT '[]',
  state text NOT NULL CHECK (state IN ('active', 'paused', 'removed')),
  state_reason text,
  state_changed_at timestamptz NOT NULL,
  -- Deliveries are made of all events up to this seq.
  planned_through_seq bigint NOT NULL,
  version integer NOT NULL,
  created_at timestamptz NOT NULL
);
--> statement-breakpoint
CREATE TABLE webhook_deliveries (
  webhook_id uuid NOT NULL REFERENCES webhooks (id),
  seq bigint NOT NULL,
  ordinal integer NOT NULL,
  -- Deliveries of one subject go out in their order.
  subject_id text NOT NULL,
  state text NOT NULL CHECK (state IN ('waiting', 'delivered', 'dead')),
  attempts integer NOT NULL DEFAULT 0,
  -- Since when it waits, or waited: it dies three days later.
  planned_at timestamptz NOT NULL,
  next_attempt_at timestamptz NOT NULL,
  last_attempt_at timestamptz,
  -- What the receiver answered; null: nothing, see last_failure.
  last_status integer,
  last_failure text,
  delivered_at timestamptz,
  PRIMARY KEY (webhook_id, seq, ordinal)
);
--> statement-breakpoint
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (webhook_id, next_attempt_at) WHERE state = 'waiting';
--> statement-breakpoint
CREATE INDEX webhook_deliveries_order ON webhook_deliveries (webhook_id, seq, ordinal) WHERE state = 'waiting';
--> statement-breakpoint
CREATE INDEX webhook_deliveries_dead ON webhook_deliveries (webhook_id, seq, ordinal) WHERE state = 'dead';
--> statement-breakpoint
CREATE INDEX webhook_deliveries_delivered ON webhook_deliveries (webhook_id, delivered_at) WHERE state = 'delivered';
--> statement-breakpoint

-- Documents that were handed in to be imported as they are, until a second admin has decided.
CREATE TABLE imports (
  id uuid PRIMARY KEY,
  state text NOT NULL CHECK (state IN ('waiting', 'applied', 'rejected', 'lapsed')),
  -- Compressed; null once it was decided.
  document bytea,
  digest text NOT NULL,
  -- Of what it would change: who approves it approves that, and no more.
  differences_digest text NOT NULL,
  summary jsonb NOT NULL,
  -- Ids of the actors, and their names at that time.
  requested_by text NOT NULL,
  requested_by_name text NOT NULL,
  requested_at timestamptz NOT NULL,
  decided_by text,
  decided_by_name text,
  decided_at timestamptz,
  state_reason text
);
--> statement-breakpoint

-- How jobs that run again and again fared last.
CREATE TABLE job_runs (
  name text PRIMARY KEY,
  last_started_at timestamptz,
  last_succeeded_at timestamptz,
  last_failed_at timestamptz,
  last_duration_ms integer,
  -- In a row, until now.
  failures integer NOT NULL DEFAULT 0,
  last_error text,
  next_run_at timestamptz,
  -- The node where it is at work; null: nowhere.
  running_on text
);
