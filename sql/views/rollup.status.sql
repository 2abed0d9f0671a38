CREATE OR REPLACE VIEW rollup.status AS
SELECT
    coalesce(a.account_id, m.account_id) AS account_id,
    CASE
        WHEN m.account_id IS NOT NULL THEN 'time zone changed in the application, not yet taken over'
        WHEN a.wanted IS NULL AND a.setting IS NOT NULL
            AND rollup.canonical_timezone(a.setting) IS NULL THEN 'time zone not known'
        WHEN a.wanted IS NULL AND a.timezone IS NULL THEN 'off'
        WHEN a.wanted IS NULL THEN 'switched off, not yet removed'
        WHEN NOT (rollup.knows_timezone(a.timezone) AND rollup.knows_timezone(a.wanted))
            THEN 'time zone gone from the server'
        WHEN a.timezone <> a.wanted THEN 'time zone changed, not yet rebuilt'
        WHEN v.covered = '{(,)}' THEN 'covered'
        WHEN v.covered_but_for_gaps = '{(,)}' THEN 'covered but for what is new'
        WHEN isempty(v.covered) THEN 'not covered'
        ELSE 'partly covered'
    END AS state,
    a.timezone,
    a.wanted,
    CASE WHEN m.account_id IS NOT NULL THEN m.setting ELSE a.setting END AS setting,
    v.covered,
    a.sealed,
    coalesce(a.reads_enabled, false) AS reads_enabled,
    coalesce(p.events, 0) AS pending_events,
    a.rebuilt_at,
    a.verified_at
FROM rollup.accounts a
JOIN rollup.coverage v ON v.account_id = a.account_id
FULL JOIN rollup.missed_settings() m ON m.account_id = a.account_id
LEFT JOIN (
    SELECT
        p.account_id,
        count(*) AS events
    FROM rollup.pending_events p
    GROUP BY p.account_id
) p ON p.account_id = a.account_id;

COMMENT ON VIEW rollup.status IS
    'Every account: its time zone, the days that are covered, what is pending, and when it was last rebuilt and verified.';
