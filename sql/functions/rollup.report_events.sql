CREATE OR REPLACE FUNCTION rollup.report_events(q rollup.report_request, name text)
 RETURNS TABLE(dimension_id bigint, bucket timestamp with time zone, value double precision, member bigint)
 LANGUAGE sql
 STABLE
AS $function$
/*
 * The raw events of a name that a report reads, each with its dimension, its bucket, its number, and what a
 * distinct metric counts of it. Inlined: PostgreSQL puts this query in the place of a call in FROM. OFFSET 0
 * keeps other joins from being tried before that with the moments, by which an index serves.
 */
SELECT
    d.dimension_id,
    z.bucket,
    CASE
        WHEN q.business_hours THEN e.value_in_business_hours
        ELSE e.value
    END AS value,
    CASE q.metric
        WHEN 'bot_handoffs_count' THEN e.conversation_id::bigint
        WHEN 'bot_resolutions_count' THEN e.conversation_id::bigint
    END AS member
FROM (
    SELECT
        e.account_id, e.event, e.at, e.agent, e.inbox, e.conversation_id, e.value,
        e.value_in_business_hours
    FROM unnest(q.moments) i (moments)
    CROSS JOIN LATERAL rollup.source_events(
        ARRAY [q.account_id], lower(i.moments), upper(i.moments),
        ARRAY [report_events.name]
    ) e
    OFFSET 0
) e
CROSS JOIN LATERAL (
    SELECT
        CASE q.dimension_type
            WHEN 'account' THEN e.account_id::bigint
            WHEN 'agent' THEN e.agent::bigint
            WHEN 'inbox' THEN e.inbox::bigint
        END AS dimension_id
    OFFSET 0
) d
CROSS JOIN LATERAL (
    SELECT
        CASE q.unit
            WHEN 'range' THEN q.since
            WHEN 'hour' THEN date_trunc('hour', e.at, q.timezone)
            ELSE (
                date_trunc(q.unit, e.at AT TIME ZONE q.timezone + q.week_shift)
                - q.week_shift
            ) AT TIME ZONE q.timezone
        END AS bucket
    WHERE NOT q.days @> (e.at AT TIME ZONE q.timezone)::date
) z
WHERE d.dimension_id = q.dimension_id
OR (q.dimension_id IS NULL AND d.dimension_id IS NOT NULL)
$function$;

COMMENT ON FUNCTION rollup.report_events(rollup.report_request, text) IS
    'The raw events of a name that a report reads, each with its dimension, bucket, number and member.';
