-- When entities were registered and when what is said about them last changed, for the companion endpoints.

ALTER TABLE entities
  ADD COLUMN registered_at timestamptz,
  ADD COLUMN updated_at timestamptz NOT NULL DEFAULT now();
--> statement-breakpoint

UPDATE entities SET
  registered_at = (
    SELECT max(audit.at) FROM audit
      WHERE audit.subject_kind = 'entity' AND audit.subject_id = entities.id::text AND audit.action = 'entity.approve'
  ),
  updated_at = coalesce(
    (SELECT max(audit.at) FROM audit WHERE audit.subject_kind = 'entity' AND audit.subject_id = entities.id::text),
    entities.state_changed_at
  );
--> statement-breakpoint

-- Pages of the collection are in the order of the identifiers' bytes.
CREATE INDEX entities_collected ON entities (entity_identifier COLLATE "C") WHERE state = 'active';
