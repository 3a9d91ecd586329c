-- The record: organisations as registers know them, and contacts as records of their own.

ALTER TABLE organisations RENAME COLUMN name TO legal_name;
--> statement-breakpoint
ALTER TABLE organisations
  ADD COLUMN registration_number text,
  ADD COLUMN registration_register text,
  ADD COLUMN registration_country text,
  ADD COLUMN previous_id uuid REFERENCES organisations (id),
  ADD COLUMN parent_id uuid REFERENCES organisations (id),
  ADD COLUMN tags jsonb NOT NULL DEFAULT '[]',
  ADD CONSTRAINT organisations_registration
    CHECK (num_nonnulls(registration_number, registration_register, registration_country) IN (0, 3)),
  ADD CONSTRAINT organisations_not_own_parent CHECK (parent_id <> id);
--> statement-breakpoint

-- One legal person is on record once in an authority while its record is open, however its number is spelt.
CREATE UNIQUE INDEX organisations_live_registration
  ON organisations (authority_id, lower(registration_number), lower(registration_register), registration_country)
  WHERE state IN ('pending', 'active', 'suspended');
--> statement-breakpoint
CREATE INDEX organisations_registrations ON organisations (lower(registration_number), authority_id);
--> statement-breakpoint
CREATE INDEX organisations_parent ON organisations (parent_id);
--> statement-breakpoint
CREATE INDEX organisations_tags ON organisations USING gin (tags jsonb_path_ops);
--> statement-breakpoint

CREATE TABLE contacts (
  id uuid PRIMARY KEY,
  organisation_id uuid NOT NULL REFERENCES organisations (id),
  type text NOT NULL CHECK (type IN ('business', 'technical', 'security', 'incident', 'billing')),
  name text,
  email text NOT NULL,
  pgp_fingerprint text,
  verified_at timestamptz,
  last_confirmed_at timestamptz,
  version integer NOT NULL,
  created_at timestamptz NOT NULL,
  removed_at timestamptz
);
--> statement-breakpoint
CREATE INDEX contacts_organisation ON contacts (organisation_id, id) WHERE removed_at IS NULL;
--> statement-breakpoint

-- Ids keep the order in which the contacts stood; nobody confirmed any of them yet.
INSERT INTO contacts (id, organisation_id, type, name, email, version, created_at)
  SELECT
    (substr(stamp, 1, 8) || '-' || substr(stamp, 9, 4) || '-7' || lpad(to_hex(position), 3, '0')
      || substr(gen_random_uuid()::text, 19))::uuid,
    organisation_id, contact ->> 'type', contact ->> 'name', contact ->> 'email', 1, created_at
  FROM (
    SELECT
      organisations.id AS organisation_id,
      organisations.created_at,
      lpad(to_hex(floor(extract(epoch FROM organisations.created_at) * 1000)::bigint), 12, '0') AS stamp,
      entry.contact,
      entry.position::integer
    FROM organisations, jsonb_array_elements(organisations.contacts) WITH ORDINALITY AS entry (contact, position)
  ) AS moved;
--> statement-breakpoint
ALTER TABLE organisations DROP COLUMN contacts;
--> statement-breakpoint

-- Authorities made before go on as they did; new ones ask for an incident contact.
ALTER TABLE authorities ADD COLUMN required_contact_types jsonb NOT NULL DEFAULT '[]';
--> statement-breakpoint

-- What an entity is for: everything recorded before is live, in production, on its organisation's own behalf.
ALTER TABLE entities
  ADD COLUMN name text,
  ADD COLUMN mode text NOT NULL DEFAULT 'live' CHECK (mode IN ('live', 'test')),
  ADD COLUMN environment text NOT NULL DEFAULT 'production',
  ADD COLUMN on_behalf_of uuid REFERENCES organisations (id);
--> statement-breakpoint
CREATE INDEX entities_on_behalf_of ON entities (on_behalf_of);
--> statement-breakpoint

-- What entities offer: authorization servers and their APIs. Dates act by themselves; what was removed stays on record.
CREATE TABLE authorization_servers (
  id uuid PRIMARY KEY,
  authority_id uuid NOT NULL REFERENCES authorities (id),
  entity_id uuid NOT NULL REFERENCES entities (id),
  issuer text NOT NULL,
  deprecated_at timestamptz,
  retires_at timestamptz,
  superseded_by uuid REFERENCES authorization_servers (id),
  version integer NOT NULL,
  created_at timestamptz NOT NULL,
  removed_at timestamptz,
  CHECK (deprecated_at <= retires_at),
  CHECK (superseded_by <> id)
);
--> statement-breakpoint
CREATE UNIQUE INDEX authorization_servers_live ON authorization_servers (entity_id) WHERE removed_at IS NULL;
--> statement-breakpoint
CREATE INDEX authorization_servers_authority ON authorization_servers (authority_id, id);
--> statement-breakpoint
CREATE INDEX authorization_servers_issuer ON authorization_servers (issuer);
--> statement-breakpoint
CREATE TABLE api_resources (
  id uuid PRIMARY KEY,
  authority_id uuid NOT NULL REFERENCES authorities (id),
  authorization_server_id uuid NOT NULL REFERENCES authorization_servers (id),
  family text NOT NULL,
  api_version text NOT NULL,
  endpoints jsonb NOT NULL,
  certification_status text NOT NULL
    CHECK (certification_status IN ('awaiting', 'certified', 'self_certified', 'deprecated', 'rejected')),
  certification_uri text,
  certification_from timestamptz,
  certification_to timestamptz,
  deprecated_at timestamptz,
  retires_at timestamptz,
  superseded_by uuid REFERENCES api_resources (id),
  version integer NOT NULL,
  created_at timestamptz NOT NULL,
  removed_at timestamptz,
  CHECK (certification_from <= certification_to),
  CHECK (deprecated_at <= retires_at),
  CHECK (superseded_by <> id)
);
--> statement-breakpoint
CREATE UNIQUE INDEX api_resources_version ON api_resources (authorization_server_id, family, api_version)
  WHERE removed_at IS NULL;
--> statement-breakpoint
CREATE INDEX api_resources_authority ON api_resources (authority_id, id);
