INSERT INTO public.bare_rollups (
    account_id,
    date,
    dimension_type,
    dimension_id,
    metric,
    count,
    value_count,
    sum_value,
    business_hours_count,
    sum_value_business_hours
)
SELECT
    t.account_id,
    t.date,
    t.dimension_type,
    t.dimension_id,
    t.metric,
    t.count,
    t.value_count,
    t.sum_value,
    t.business_hours_count,
    t.sum_value_business_hours
FROM public.bare_totals t
