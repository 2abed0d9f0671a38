CREATE OR REPLACE TRIGGER rollup_after_change
    AFTER INSERT OR DELETE OR UPDATE ON public.accounts
    FOR EACH ROW
    EXECUTE FUNCTION rollup.accounts_after_change();

COMMENT ON TRIGGER rollup_after_change ON public.accounts IS
    'Follows the time zones that the application keeps for its accounts.';
