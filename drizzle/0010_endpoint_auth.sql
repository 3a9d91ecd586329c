-- Which endpoints ask their callers to prove who they are, by endpoint; those that are not named have their default.

ALTER TABLE authorities ADD COLUMN endpoint_authentication jsonb NOT NULL DEFAULT '{}';
