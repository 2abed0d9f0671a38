CREATE OR REPLACE FUNCTION rollup.report_dimension(account_id bigint, dimension_type text, dimension_id bigint)
 RETURNS bigint
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict use_column
/*
 * The id of the dimension that a report is about. Of an account as a whole it is the account's, and
 * may be left out; otherwise it has to be given (22023).
 */
BEGIN
    IF coalesce(report_dimension.dimension_type = 'account', true) THEN
        IF report_dimension.dimension_id <> report_dimension.account_id::bigint THEN
            RAISE EXCEPTION 'account % is not account %',
                report_dimension.dimension_id,
                report_dimension.account_id
                USING ERRCODE = 'invalid_parameter_value',
                    HINT = 'Of an account as a whole leave out dimension_id: NULL.';
        END IF;

        RETURN report_dimension.account_id;
    END IF;

    IF report_dimension.dimension_id IS NULL THEN
        RAISE EXCEPTION 'no dimension_id given'
            USING ERRCODE = 'invalid_parameter_value',
                HINT = 'Give that of one, or ask rollup.summary() for all.';
    END IF;

    RETURN report_dimension.dimension_id;
END
$function$;

COMMENT ON FUNCTION rollup.report_dimension(bigint, text, bigint) IS
    'The id of the dimension that a report is about: of an account, its own.';
