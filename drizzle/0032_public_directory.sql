-- Whoever looks for somebody knows a part of the name, in whatever case. See search_grams in 0015.
CREATE INDEX organisations_name_grams ON organisations USING gin (search_grams(lower(legal_name)));
--> statement-breakpoint

CREATE INDEX organisations_state ON organisations (state, id);
