/*
    What one would write first, as a contestant: totals added straight to their rows by a statement
    trigger. Set-based and sorted, but the account's row stays locked until the writer commits.
*/
CREATE FUNCTION public.plain_upsert()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
    INSERT INTO public.reporting_events_rollups AS r (
        account_id,
        date,
        dimension_type,
        dimension_id,
        metric,
        count,
        sum_value,
        sum_value_business_hours
    )
    SELECT
        e.account_id,
        z.date,
        d.dimension_type,
        d.dimension_id,
        m.metric,
        count(*),
        sum(CASE WHEN m.is_duration THEN coalesce(e.value, 0) ELSE 0 END),
        sum(CASE WHEN m.is_duration THEN coalesce(e.value_in_business_hours, 0) ELSE 0 END)
    FROM inserted e
    CROSS JOIN LATERAL (
        SELECT (e.created_at AT TIME ZONE 'UTC' AT TIME ZONE a.timezone)::date AS date
        FROM public.account_zones a
        WHERE a.account_id = e.account_id
        OFFSET 0
    ) z
    JOIN (VALUES
        ('conversation_resolved', 'resolutions_count', false),
        ('conversation_resolved', 'resolution_time', true),
        ('first_response', 'first_response', true),
        ('reply_time', 'reply_time', true),
        ('conversation_bot_resolved', 'bot_resolutions_count', false),
        ('conversation_bot_handoff', 'bot_handoffs_count', false)
    ) m (name, metric, is_duration) ON m.name = e.name
    CROSS JOIN LATERAL (VALUES
        ('account', e.account_id),
        ('agent', e.user_id),
        ('inbox', e.inbox_id)
    ) d (dimension_type, dimension_id)
    WHERE d.dimension_id IS NOT NULL
    GROUP BY
        e.account_id,
        z.date,
        d.dimension_type,
        d.dimension_id,
        m.metric
    ORDER BY
        e.account_id,
        d.dimension_type,
        m.metric,
        z.date,
        d.dimension_id
    ON CONFLICT (account_id, dimension_type, metric, date, dimension_id) DO UPDATE
    SET
        count = r.count + excluded.count,
        sum_value = r.sum_value + excluded.sum_value,
        sum_value_business_hours = r.sum_value_business_hours + excluded.sum_value_business_hours;

    RETURN NULL;
END
$function$;

CREATE TRIGGER plain_upsert
    AFTER INSERT ON public.reporting_events
    REFERENCING NEW TABLE AS inserted
    FOR EACH STATEMENT
    EXECUTE FUNCTION public.plain_upsert();
