-- Roles: what an authority lets organisations be, and within them their entities; each role may bring a metadata policy.

CREATE TABLE authorisation_domains (
  id uuid PRIMARY KEY,
  authority_id uuid NOT NULL REFERENCES authorities (id),
  name text NOT NULL,
  description text,
  version integer NOT NULL,
  created_at timestamptz NOT NULL
);
--> statement-breakpoint
-- Names that differ in case alone would be taken for each other.
CREATE UNIQUE INDEX authorisation_domains_name ON authorisation_domains (authority_id, lower(name));
--> statement-breakpoint
CREATE TABLE roles (
  id uuid PRIMARY KEY,
  authority_id uuid NOT NULL REFERENCES authorities (id),
  domain_id uuid NOT NULL REFERENCES authorisation_domains (id),
  name text NOT NULL,
  description text,
  scopes jsonb NOT NULL,
  grant_types jsonb NOT NULL,
  entity_type text,
  metadata_policy jsonb NOT NULL,
  trust_mark_types jsonb NOT NULL,
  approvals integer NOT NULL CHECK (approvals IN (1, 2)),
  state text NOT NULL CHECK (state IN ('active', 'retired')),
  version integer NOT NULL,
  created_at timestamptz NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX roles_name ON roles (domain_id, lower(name));
--> statement-breakpoint
CREATE INDEX roles_authority ON roles (authority_id, id);
--> statement-breakpoint

-- Roles of organisations. What was removed stays on record; a role may be assigned anew in another row.
CREATE TABLE role_assignments (
  id uuid PRIMARY KEY,
  authority_id uuid NOT NULL REFERENCES authorities (id),
  organisation_id uuid NOT NULL REFERENCES organisations (id),
  role_id uuid NOT NULL REFERENCES roles (id),
  registration_id text,
  jurisdictions jsonb NOT NULL,
  assigned_by text NOT NULL,
  valid_from timestamptz,
  valid_to timestamptz,
  state text NOT NULL CHECK (state IN ('active', 'removed')),
  state_reason text,
  state_changed_at timestamptz NOT NULL,
  version integer NOT NULL,
  created_at timestamptz NOT NULL,
  CHECK (valid_from < valid_to)
);
--> statement-breakpoint
CREATE UNIQUE INDEX role_assignments_active ON role_assignments (organisation_id, role_id) WHERE state = 'active';
--> statement-breakpoint
CREATE INDEX role_assignments_role ON role_assignments (role_id, organisation_id) WHERE state = 'active';
--> statement-breakpoint

-- Roles of entities, each under the assignment of its organisation: locked when that was removed.
CREATE TABLE entity_role_assignments (
  id uuid PRIMARY KEY,
  entity_id uuid NOT NULL REFERENCES entities (id),
  role_assignment_id uuid NOT NULL REFERENCES role_assignments (id),
  state text NOT NULL CHECK (state IN ('active', 'locked', 'removed')),
  state_reason text,
  state_changed_at timestamptz NOT NULL,
  version integer NOT NULL,
  created_at timestamptz NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX entity_role_assignments_active ON entity_role_assignments (entity_id, role_assignment_id)
  WHERE state = 'active';
--> statement-breakpoint
CREATE INDEX entity_role_assignments_entity ON entity_role_assignments (entity_id, id);
--> statement-breakpoint
CREATE INDEX entity_role_assignments_holders ON entity_role_assignments (role_assignment_id, entity_id)
  WHERE state = 'active';
