CREATE OR REPLACE TRIGGER rollup_after_delete
    AFTER DELETE ON public.accounts
    REFERENCING OLD TABLE AS deleted
    FOR EACH STATEMENT
    EXECUTE FUNCTION rollup.accounts_after_delete();

COMMENT ON TRIGGER rollup_after_delete ON public.accounts IS
    'Follows the time zones of accounts over every delete of them.';
