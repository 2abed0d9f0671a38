CREATE OR REPLACE TRIGGER rollup_after_delete
    AFTER DELETE ON public.reporting_events
    REFERENCING OLD TABLE AS deleted
    FOR EACH STATEMENT
    EXECUTE FUNCTION rollup.reporting_events_after_delete();

COMMENT ON TRIGGER rollup_after_delete ON public.reporting_events IS
    'Keeps the rollups exact over every delete of events.';
