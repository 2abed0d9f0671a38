/* All totals, computed anew by each refresh; the index is what lets readers go on meanwhile. */
CREATE MATERIALIZED VIEW public.reporting_events_rollups AS
SELECT t.*
FROM public.bare_totals t;

CREATE UNIQUE INDEX reporting_events_rollups_key
    ON public.reporting_events_rollups (account_id, dimension_type, metric, date, dimension_id);

ANALYZE public.reporting_events_rollups;
