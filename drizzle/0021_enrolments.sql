-- Enrolment as a process: its steps with what each found, and who approved. Domains and terms of organisations.

-- Authorities made before go on as they did: no flow of their own, and one person may add and approve.
ALTER TABLE authorities
  ADD COLUMN enrolment_flow jsonb,
  ADD COLUMN four_eyes text NOT NULL DEFAULT 'off' CHECK (four_eyes IN ('off', 'on'));
--> statement-breakpoint
ALTER TABLE entities ADD COLUMN added_by text;
--> statement-breakpoint

CREATE TABLE enrolments (
  id uuid PRIMARY KEY,
  authority_id uuid NOT NULL REFERENCES authorities (id),
  organisation_id uuid REFERENCES organisations (id),
  entity_identifier text NOT NULL,
  entity_id uuid REFERENCES entities (id) DEFERRABLE INITIALLY DEFERRED,
  request jsonb NOT NULL,
  flow jsonb NOT NULL,
  challenge text NOT NULL,
  state text NOT NULL CHECK (state IN (
    'draft', 'submitted', 'checks_failed', 'pending_approval', 'approved', 'rejected', 'cancelled', 'lapsed')),
  state_reason text,
  state_changed_at timestamptz NOT NULL,
  submitted_via text NOT NULL CHECK (submitted_via IN ('token', 'signed_request', 'public')),
  submitted_by jsonb NOT NULL,
  changed_by jsonb,
  lapses_at timestamptz,
  next_run_at timestamptz,
  version integer NOT NULL,
  created_at timestamptz NOT NULL
);
--> statement-breakpoint
CREATE INDEX enrolments_authority ON enrolments (authority_id, id);
--> statement-breakpoint
CREATE INDEX enrolments_organisation ON enrolments (organisation_id, id);
--> statement-breakpoint
CREATE INDEX enrolments_identifier ON enrolments (entity_identifier, authority_id);
--> statement-breakpoint
CREATE UNIQUE INDEX enrolments_entity ON enrolments (entity_id);
--> statement-breakpoint
-- Requests from anybody that nobody took up: few, looked at again and again.
CREATE INDEX enrolments_lapsing ON enrolments (lapses_at) WHERE lapses_at IS NOT NULL;
--> statement-breakpoint
CREATE INDEX enrolments_due ON enrolments (next_run_at) WHERE next_run_at IS NOT NULL;
--> statement-breakpoint

CREATE TABLE enrolment_steps (
  enrolment_id uuid NOT NULL REFERENCES enrolments (id) ON DELETE CASCADE,
  step text NOT NULL,
  position integer NOT NULL,
  outcome text NOT NULL CHECK (outcome IN ('passed', 'failed', 'skipped', 'waiting')),
  reason text,
  detail text NOT NULL,
  evidence jsonb NOT NULL,
  would_change jsonb NOT NULL,
  attempts integer NOT NULL,
  at timestamptz NOT NULL,
  PRIMARY KEY (enrolment_id, step)
);
--> statement-breakpoint

-- Each for the version that was looked at: other evidence needs other approvals.
CREATE TABLE enrolment_approvals (
  enrolment_id uuid NOT NULL REFERENCES enrolments (id) ON DELETE CASCADE,
  version integer NOT NULL,
  actor_id text NOT NULL,
  actor_name text NOT NULL,
  reason text NOT NULL,
  at timestamptz NOT NULL,
  PRIMARY KEY (enrolment_id, version, actor_id)
);
--> statement-breakpoint

CREATE TABLE organisation_domains (
  organisation_id uuid NOT NULL REFERENCES organisations (id),
  domain text NOT NULL,
  method text NOT NULL CHECK (method IN ('https', 'dns')),
  verified_at timestamptz NOT NULL,
  evidence jsonb NOT NULL,
  PRIMARY KEY (organisation_id, domain, method)
);
--> statement-breakpoint

CREATE TABLE organisation_terms (
  organisation_id uuid NOT NULL REFERENCES organisations (id),
  version text NOT NULL,
  accepted_by text NOT NULL,
  accepted_at timestamptz NOT NULL,
  recorded_by jsonb NOT NULL,
  PRIMARY KEY (organisation_id, version)
);
