/* How many totals that only add are not those of the events. */
SELECT count(*)
FROM public.additive_totals t
FULL JOIN public.reporting_events_rollups r
    ON r.account_id = t.account_id
    AND r.date = t.date
    AND r.dimension_type = t.dimension_type
    AND r.dimension_id = t.dimension_id
    AND r.metric = t.metric
WHERE r.count IS DISTINCT FROM t.count
