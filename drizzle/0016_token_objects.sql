-- Keys on their way from a token to the registry: one that never arrives is destroyed in the token.

CREATE TABLE token_objects_in_making (
  token_object text PRIMARY KEY,
  owner text NOT NULL,
  purpose text NOT NULL,
  made_at timestamptz NOT NULL DEFAULT now(),
  -- From then on nobody may take it up.
  is_given_up boolean NOT NULL DEFAULT false
);
