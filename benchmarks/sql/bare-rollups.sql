/* A table like ours, to insert bare totals into. */
CREATE TABLE public.bare_rollups (LIKE public.reporting_events_rollups INCLUDING ALL)
