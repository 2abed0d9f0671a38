CREATE OR REPLACE TRIGGER rollup_after_insert
    AFTER INSERT ON public.reporting_events
    REFERENCING NEW TABLE AS inserted
    FOR EACH STATEMENT
    EXECUTE FUNCTION rollup.reporting_events_after_insert();

COMMENT ON TRIGGER rollup_after_insert ON public.reporting_events IS
    'Keeps the rollups exact over every insert of events.';
