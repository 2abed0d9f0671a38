CREATE OR REPLACE TRIGGER rollup_after_update
    AFTER UPDATE ON public.reporting_events
    REFERENCING OLD TABLE AS updated_before NEW TABLE AS updated_after
    FOR EACH STATEMENT
    EXECUTE FUNCTION rollup.reporting_events_after_update();

COMMENT ON TRIGGER rollup_after_update ON public.reporting_events IS
    'Keeps the rollups exact over every update of events.';
