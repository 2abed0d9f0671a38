CREATE TABLE IF NOT EXISTS rollup.pending_events (
    id bigint GENERATED ALWAYS AS IDENTITY,
    sign integer NOT NULL
) WITH (
    vacuum_truncate = off,
    autovacuum_vacuum_scale_factor = 0,
    autovacuum_vacuum_threshold = 1000
);

CREATE UNIQUE INDEX IF NOT EXISTS pending_events_id ON rollup.pending_events (id);

-- Without a replica identity, a DELETE of a fold fails where all tables are published, and a writer with it.
ALTER TABLE rollup.pending_events REPLICA IDENTITY USING INDEX pending_events_id;

ALTER TABLE rollup.pending_events
    ADD COLUMN IF NOT EXISTS account_id bigint,
    ADD COLUMN IF NOT EXISTS event text,
    ADD COLUMN IF NOT EXISTS at timestamp with time zone,
    ADD COLUMN IF NOT EXISTS agent bigint,
    ADD COLUMN IF NOT EXISTS inbox bigint,
    ADD COLUMN IF NOT EXISTS conversation_id bigint,
    ADD COLUMN IF NOT EXISTS value double precision,
    ADD COLUMN IF NOT EXISTS value_in_business_hours double precision;

COMMENT ON TABLE rollup.pending_events IS
    'Signed events that are committed but not yet folded into the rollup table.';

COMMENT ON COLUMN rollup.pending_events.id IS
    'The order in which they were appended; the index that a bounded fold walks.';

COMMENT ON COLUMN rollup.pending_events.sign IS
    '1: the event came; -1: it went; an update is both. Other numbers: so many alike.';

COMMENT ON COLUMN rollup.pending_events.account_id IS
    'As in the type rollup.event.';

COMMENT ON COLUMN rollup.pending_events.event IS
    'As in the type rollup.event.';

COMMENT ON COLUMN rollup.pending_events.at IS
    'As in the type rollup.event.';

COMMENT ON COLUMN rollup.pending_events.agent IS
    'As in the type rollup.event.';

COMMENT ON COLUMN rollup.pending_events.inbox IS
    'As in the type rollup.event.';

COMMENT ON COLUMN rollup.pending_events.conversation_id IS
    'As in the type rollup.event.';

COMMENT ON COLUMN rollup.pending_events.value IS
    'As in the type rollup.event.';

COMMENT ON COLUMN rollup.pending_events.value_in_business_hours IS
    'As in the type rollup.event.';
