CREATE OR REPLACE TRIGGER rollup_after_truncate
    AFTER TRUNCATE ON public.accounts
    FOR EACH STATEMENT
    EXECUTE FUNCTION rollup.accounts_after_truncate();

COMMENT ON TRIGGER rollup_after_truncate ON public.accounts IS
    'Follows the time zones of accounts over every truncate of them.';
