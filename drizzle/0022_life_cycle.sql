-- Life cycle: why and how long something is suspended, dates that act by themselves, contacts kept alive, exceptions.

ALTER TABLE organisations
  ADD COLUMN state_reason_code text,
  ADD COLUMN suspended_until timestamptz,
  ADD CONSTRAINT organisations_suspended_until CHECK (suspended_until IS NULL OR state = 'suspended');
--> statement-breakpoint
CREATE INDEX organisations_suspended_until ON organisations (suspended_until) WHERE suspended_until IS NOT NULL;
--> statement-breakpoint
ALTER TABLE entities
  ADD COLUMN state_reason_code text,
  ADD COLUMN suspended_until timestamptz,
  ADD CONSTRAINT entities_suspended_until CHECK (suspended_until IS NULL OR state = 'suspended');
--> statement-breakpoint
CREATE INDEX entities_suspended_until ON entities (suspended_until) WHERE suspended_until IS NOT NULL;
--> statement-breakpoint

-- What of the dates of an offer stands in the audit already; readers go by the dates alone.
ALTER TABLE authorization_servers
  ADD COLUMN recorded_state text NOT NULL DEFAULT 'active' CHECK (recorded_state IN ('active', 'deprecated', 'retired'));
--> statement-breakpoint
ALTER TABLE api_resources
  ADD COLUMN recorded_state text NOT NULL DEFAULT 'active' CHECK (recorded_state IN ('active', 'deprecated', 'retired')),
  ADD COLUMN recorded_certification_end timestamptz;
--> statement-breakpoint
CREATE INDEX authorization_servers_dated ON authorization_servers (id)
  WHERE removed_at IS NULL AND (deprecated_at IS NOT NULL OR retires_at IS NOT NULL OR recorded_state <> 'active');
--> statement-breakpoint
CREATE INDEX api_resources_dated ON api_resources (id)
  WHERE removed_at IS NULL AND (
    deprecated_at IS NOT NULL OR retires_at IS NOT NULL OR certification_to IS NOT NULL OR recorded_state <> 'active');
--> statement-breakpoint

-- Null: nobody has to confirm anything, as before.
ALTER TABLE authorities
  ADD COLUMN contact_confirmation_days integer,
  ADD COLUMN lapse_grace_days integer NOT NULL DEFAULT 30,
  ADD COLUMN on_lapse text NOT NULL DEFAULT 'none' CHECK (on_lapse IN ('none', 'suspend'));
--> statement-breakpoint

-- Mails that are to be sent: written in the transaction of what they tell about, sent by whichever node claims them.
CREATE TABLE outgoing_mails (
  id uuid PRIMARY KEY,
  authority_id uuid NOT NULL REFERENCES authorities (id),
  -- What it is about; one mail is ever written about it.
  occasion text NOT NULL UNIQUE,
  recipient text NOT NULL,
  subject text NOT NULL,
  body text NOT NULL,
  created_at timestamptz NOT NULL,
  attempts integer NOT NULL DEFAULT 0,
  due_at timestamptz NOT NULL,
  sent_at timestamptz,
  failed_at timestamptz,
  failure text
);
--> statement-breakpoint
CREATE INDEX outgoing_mails_due ON outgoing_mails (due_at) WHERE sent_at IS NULL AND failed_at IS NULL;
--> statement-breakpoint

-- What the upkeep noticed about organisations and what belongs to them; gone when it is cured.
CREATE TABLE directory_findings (
  id uuid PRIMARY KEY,
  authority_id uuid NOT NULL REFERENCES authorities (id),
  organisation_id uuid NOT NULL REFERENCES organisations (id),
  subject_kind text NOT NULL,
  subject_id uuid NOT NULL,
  subject_name text NOT NULL,
  kind text NOT NULL,
  detail text NOT NULL,
  since timestamptz NOT NULL,
  UNIQUE (subject_id, kind)
);
--> statement-breakpoint
CREATE INDEX directory_findings_organisation ON directory_findings (organisation_id);
--> statement-breakpoint
ALTER TABLE entity_findings ADD COLUMN id uuid NOT NULL DEFAULT gen_random_uuid();
--> statement-breakpoint

-- What a legacy partner is let off for a while: somebody answers for it, somebody else approved it, and it ends.
CREATE TABLE entity_exceptions (
  id uuid PRIMARY KEY,
  authority_id uuid NOT NULL REFERENCES authorities (id),
  entity_id uuid NOT NULL REFERENCES entities (id),
  kind text NOT NULL CHECK (kind IN ('no_mtls', 'unbound_token')),
  reason text NOT NULL,
  owner_id text NOT NULL,
  owner_name text NOT NULL,
  requester_id text NOT NULL,
  requester_name text NOT NULL,
  state text NOT NULL CHECK (state IN ('pending', 'approved', 'rejected', 'ended')),
  approver_id text,
  approver_name text,
  state_reason text,
  state_changed_at timestamptz NOT NULL,
  ends_at timestamptz NOT NULL,
  version integer NOT NULL,
  created_at timestamptz NOT NULL,
  CHECK (state <> 'approved' OR approver_id IS NOT NULL),
  CHECK (approver_id <> owner_id AND approver_id <> requester_id),
  CHECK (ends_at > created_at AND ends_at <= created_at + interval '366 days')
);
--> statement-breakpoint
CREATE INDEX entity_exceptions_entity ON entity_exceptions (entity_id, id);
