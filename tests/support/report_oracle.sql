/*
    What reports are to say, asked of the raw events in one plain query that was written by hand: for
    each dimension and bucket the numbers of each kind, from which a report takes what it is about.

    Parameters: account, type, id (NULL: every one), since, until, zone, unit, week_start, event.
*/
WITH event AS (
    SELECT
        e.name,
        CASE %(type)s
            WHEN 'account' THEN e.account_id
            WHEN 'agent' THEN e.user_id
            WHEN 'inbox' THEN e.inbox_id
        END AS id,
        e.value,
        e.value_in_business_hours AS hours,
        e.conversation_id,
        e.created_at AT TIME ZONE 'UTC' AS moment,
        e.created_at AT TIME ZONE 'UTC' AT TIME ZONE %(zone)s AS local
    FROM public.{events} e
    WHERE e.account_id = %(account)s
    AND e.created_at >= %(since)s::timestamptz AT TIME ZONE 'UTC'
    AND e.created_at < %(until)s::timestamptz AT TIME ZONE 'UTC'
),

placed AS (
    SELECT
        e.*,
        CASE %(unit)s
            WHEN 'range' THEN %(since)s::timestamptz
            WHEN 'hour' THEN e.moment - make_interval(
                mins => extract(minute FROM e.local)::integer,
                secs => extract(second FROM e.local)::double precision
            )
            WHEN 'day' THEN e.local::date::timestamp AT TIME ZONE %(zone)s
            WHEN 'week' THEN (
                e.local::date - CASE %(week_start)s
                    WHEN 'sunday' THEN extract(dow FROM e.local)::integer
                    ELSE extract(isodow FROM e.local)::integer - 1
                END
            )::timestamp AT TIME ZONE %(zone)s
            WHEN 'month' THEN make_timestamp(
                extract(year FROM e.local)::integer, extract(month FROM e.local)::integer, 1, 0, 0, 0
            ) AT TIME ZONE %(zone)s
            WHEN 'quarter' THEN make_timestamp(
                extract(year FROM e.local)::integer,
                extract(quarter FROM e.local)::integer * 3 - 2,
                1, 0, 0, 0
            ) AT TIME ZONE %(zone)s
            WHEN 'year' THEN make_timestamp(extract(year FROM e.local)::integer, 1, 1, 0, 0, 0)
                AT TIME ZONE %(zone)s
        END AS bucket
    FROM event e
    WHERE e.id IS NOT NULL
    AND (%(id)s::bigint IS NULL OR e.id = %(id)s)
),

handed_off AS (
    SELECT DISTINCT e.id, e.conversation_id
    FROM placed e
    WHERE e.name = 'conversation_bot_handoff'
)

SELECT
    e.id,
    e.bucket,
    count(*) FILTER (WHERE e.name = %(event)s),
    count(DISTINCT e.conversation_id) FILTER (WHERE e.name = %(event)s),
    count(*) FILTER (WHERE e.name = %(event)s AND h.id IS NULL),
    avg(e.value) FILTER (WHERE e.name = %(event)s),
    avg(e.hours) FILTER (WHERE e.name = %(event)s)
FROM placed e
LEFT JOIN handed_off h ON h.id = e.id AND h.conversation_id = e.conversation_id
GROUP BY e.id, e.bucket
HAVING count(*) FILTER (WHERE e.name = %(event)s) > 0
ORDER BY e.id, e.bucket
