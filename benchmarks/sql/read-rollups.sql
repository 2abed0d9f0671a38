/* Every number of the rollups, as a rebuild has to read them. */
SELECT
    count(*),
    sum(r.count),
    sum(r.value_count),
    sum(r.sum_value),
    sum(r.business_hours_count),
    sum(r.sum_value_business_hours)
FROM public.reporting_events_rollups r
