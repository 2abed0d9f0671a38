CREATE OR REPLACE TRIGGER rollup_after_update
    AFTER UPDATE ON public.accounts
    REFERENCING OLD TABLE AS updated_before NEW TABLE AS updated_after
    FOR EACH STATEMENT
    EXECUTE FUNCTION rollup.accounts_after_update();

COMMENT ON TRIGGER rollup_after_update ON public.accounts IS
    'Follows the time zones of accounts over every update of them.';
