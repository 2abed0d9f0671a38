/*
    The trigger of every tutorial, as a contestant: each row upserts what it adds to, by itself.
*/
CREATE FUNCTION public.row_upsert()
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
        NEW.account_id,
        (NEW.created_at AT TIME ZONE 'UTC' AT TIME ZONE z.timezone)::date,
        d.dimension_type,
        d.dimension_id,
        m.metric,
        1,
        CASE WHEN m.is_duration THEN coalesce(NEW.value, 0) ELSE 0 END,
        CASE WHEN m.is_duration THEN coalesce(NEW.value_in_business_hours, 0) ELSE 0 END
    FROM public.account_zones z
    CROSS JOIN (VALUES
        ('conversation_resolved', 'resolution_time', true),
        ('conversation_resolved', 'resolutions_count', false),
        ('first_response', 'first_response', true),
        ('reply_time', 'reply_time', true),
        ('conversation_bot_resolved', 'bot_resolutions_count', false),
        ('conversation_bot_handoff', 'bot_handoffs_count', false)
    ) m (name, metric, is_duration)
    CROSS JOIN (VALUES
        ('account', NEW.account_id),
        ('agent', NEW.user_id),
        ('inbox', NEW.inbox_id)
    ) d (dimension_type, dimension_id)
    WHERE z.account_id = NEW.account_id
    AND m.name = NEW.name
    AND d.dimension_id IS NOT NULL
    ORDER BY
        d.dimension_type,
        m.metric,
        d.dimension_id
    ON CONFLICT (account_id, dimension_type, metric, date, dimension_id) DO UPDATE
    SET
        count = r.count + excluded.count,
        sum_value = r.sum_value + excluded.sum_value,
        sum_value_business_hours = r.sum_value_business_hours + excluded.sum_value_business_hours;

    RETURN NULL;
END
$function$;

CREATE TRIGGER row_upsert
    AFTER INSERT ON public.reporting_events
    FOR EACH ROW
    EXECUTE FUNCTION public.row_upsert();
