CREATE OR REPLACE FUNCTION rollup.report_timezone(given text, wanted text, unit text)
 RETURNS text
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict use_column
/*
 * The time zone of a report: the given one or else the account's, or else UTC. A name that is none is
 * an error (22023); so is an account's zone that the server no longer knows, unless all is asked for
 * as one number, for which no zone is needed.
 */
DECLARE
    zone text;
BEGIN
    IF report_timezone.given IS NULL AND report_timezone.wanted IS NULL THEN
        RETURN 'UTC';
    END IF;

    IF coalesce(report_timezone.given, report_timezone.wanted) = report_timezone.wanted
        AND rollup.knows_timezone(report_timezone.wanted)
    THEN
        RETURN report_timezone.wanted;
    END IF;

    IF report_timezone.given IS NULL AND report_timezone.unit = 'range' THEN
        RETURN 'UTC';
    END IF;

    zone := rollup.canonical_timezone(coalesce(report_timezone.given, report_timezone.wanted));

    IF zone IS NULL THEN
        RAISE EXCEPTION 'unknown time zone %',
            quote_literal(coalesce(report_timezone.given, report_timezone.wanted))
            USING ERRCODE = 'invalid_parameter_value',
                HINT = 'Use a name from pg_timezone_names, such as ''Europe/Berlin''.';
    END IF;

    RETURN zone;
END
$function$;

COMMENT ON FUNCTION rollup.report_timezone(text, text, text) IS
    'The time zone of a report: the given one, or else that of the account, or else UTC.';
