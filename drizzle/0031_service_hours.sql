-- What was answered in each hour by all nodes together: whoever restarts goes on adding to it.
CREATE TABLE service_hours (
  hour timestamptz PRIMARY KEY,
  -- A bit a minute, the first lowest: in that minute some node was ready.
  ready_minutes bigint NOT NULL,
  federation_requests bigint NOT NULL,
  -- Failed through us: not those that were refused, nor for others that cannot be reached.
  federation_failures bigint NOT NULL,
  admission_requests bigint NOT NULL,
  admission_failures bigint NOT NULL,
  api_requests bigint NOT NULL,
  api_failures bigint NOT NULL
);
