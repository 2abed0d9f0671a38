/*
    A view that pg_ivm maintains, as near as it can get: it takes neither VALUES nor FILTER, so that
    metrics and dimensions are tables, and counts hand-offs by event.
*/
CREATE EXTENSION pg_ivm;

CREATE TABLE public.metrics_of_events (
    name varchar NOT NULL,
    metric text NOT NULL,
    is_duration boolean NOT NULL
);

INSERT INTO public.metrics_of_events (name, metric, is_duration)
VALUES
    ('conversation_resolved', 'resolutions_count', false),
    ('conversation_resolved', 'resolution_time', true),
    ('first_response', 'first_response', true),
    ('reply_time', 'reply_time', true),
    ('conversation_bot_resolved', 'bot_resolutions_count', false),
    ('conversation_bot_handoff', 'bot_handoffs_count', false);

CREATE TABLE public.dimensions_of_events (
    dimension_type text NOT NULL
);

INSERT INTO public.dimensions_of_events (dimension_type)
VALUES
    ('account'),
    ('agent'),
    ('inbox');

-- Its functions have stood in several schemas.
SET LOCAL search_path TO pgivm, public, pg_catalog;

SELECT create_immv(
    'public.reporting_events_rollups',
    $sql$
        SELECT
            e.account_id,
            (e.created_at AT TIME ZONE 'UTC' AT TIME ZONE z.timezone)::date AS date,
            d.dimension_type,
            CASE d.dimension_type
                WHEN 'account' THEN e.account_id
                WHEN 'agent' THEN e.user_id
                WHEN 'inbox' THEN e.inbox_id
            END AS dimension_id,
            m.metric,
            count(*) AS count,
            sum(CASE WHEN m.is_duration THEN coalesce(e.value, 0) ELSE 0 END) AS sum_value,
            sum(CASE WHEN m.is_duration THEN coalesce(e.value_in_business_hours, 0) ELSE 0 END)
                AS sum_value_business_hours
        FROM public.reporting_events e
        JOIN public.account_zones z ON z.account_id = e.account_id
        JOIN public.metrics_of_events m ON m.name = e.name
        CROSS JOIN public.dimensions_of_events d
        WHERE CASE d.dimension_type
            WHEN 'account' THEN e.account_id
            WHEN 'agent' THEN e.user_id
            WHEN 'inbox' THEN e.inbox_id
        END IS NOT NULL
        GROUP BY 1, 2, 3, 4, 5
    $sql$
);
