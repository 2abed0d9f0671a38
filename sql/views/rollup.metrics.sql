CREATE OR REPLACE VIEW rollup.metrics AS
SELECT
    m.event,
    m.metric,
    m.kind
FROM (VALUES
    ('conversation_resolved', 'resolutions_count', 'count'),
    ('conversation_resolved', 'resolution_time', 'duration'),
    ('first_response', 'first_response', 'duration'),
    ('reply_time', 'reply_time', 'duration'),
    ('conversation_bot_resolved', 'bot_resolutions_count', 'count'),
    ('conversation_bot_handoff', 'bot_handoffs_count', 'distinct')
) m (event, metric, kind);

COMMENT ON VIEW rollup.metrics IS
    'The metrics of the registry: of which event, and whether it counts events (count), sums their measures as well (duration), or counts different things (distinct).';
