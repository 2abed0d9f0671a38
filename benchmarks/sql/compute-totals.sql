/* Every number of the totals is asked for, or the planner would not compute it. */
SELECT
    count(*),
    sum(t.count),
    sum(t.value_count),
    sum(t.sum_value),
    sum(t.business_hours_count),
    sum(t.sum_value_business_hours)
FROM public.bare_totals t
