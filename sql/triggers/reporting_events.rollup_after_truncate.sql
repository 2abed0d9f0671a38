CREATE OR REPLACE TRIGGER rollup_after_truncate
    AFTER TRUNCATE ON public.reporting_events
    FOR EACH STATEMENT
    EXECUTE FUNCTION rollup.reporting_events_after_truncate();

COMMENT ON TRIGGER rollup_after_truncate ON public.reporting_events IS
    'Keeps the rollups exact over every truncate of events.';
