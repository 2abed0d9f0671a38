CREATE OR REPLACE TRIGGER rollup_after_insert
    AFTER INSERT ON public.accounts
    REFERENCING NEW TABLE AS inserted
    FOR EACH STATEMENT
    EXECUTE FUNCTION rollup.accounts_after_insert();

COMMENT ON TRIGGER rollup_after_insert ON public.accounts IS
    'Follows the time zones of accounts over every insert of them.';
