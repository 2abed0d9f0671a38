CREATE OR REPLACE VIEW rollup.reports AS
SELECT
    r.report,
    r.event,
    r.metric,
    r.is_average,
    r.is_distinct,
    r.excluded_event,
    r.excluded_metric
FROM (VALUES
    (
        'resolutions_count', 'conversation_resolved', 'resolutions_count',
        false, false,
        NULL::text, NULL::text
    ),
    (
        'avg_resolution_time', 'conversation_resolved', 'resolution_time',
        true, false,
        NULL::text, NULL::text
    ),
    (
        'avg_first_response_time', 'first_response', 'first_response',
        true, false,
        NULL::text, NULL::text
    ),
    (
        'reply_time', 'reply_time', 'reply_time',
        true, false,
        NULL::text, NULL::text
    ),
    (
        'bot_resolutions_count', 'conversation_bot_resolved', 'bot_resolutions_count',
        false, false,
        'conversation_bot_handoff', 'bot_handoffs_count'
    ),
    (
        'bot_handoffs_count', 'conversation_bot_handoff', 'bot_handoffs_count',
        false, true,
        NULL::text, NULL::text
    )
) r (report, event, metric, is_average, is_distinct, excluded_event, excluded_metric);

COMMENT ON VIEW rollup.reports IS
    'The reports of the registry that are made of events: of which event and metric, whether they are averages, whether they count different things, and which metric they exclude, of which event.';
