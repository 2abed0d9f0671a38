CREATE OR REPLACE FUNCTION rollup.canonical_timezone(name text)
 RETURNS text
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_catalog', 'pg_temp'
 SET "TimeZone" TO 'UTC'
AS $function$
#variable_conflict use_column
/*
 * The server's own spelling of a time zone's name, or NULL where it knows no such zone. Names that
 * the application accepts and the server does not are looked up first.
 *
 * Asks the setting TimeZone, because a look into pg_timezone_names reads every file of zones: 40 ms.
 * The setting finds the file and gives its name; what it was before comes back at the end. It also
 * takes specifications such as 'Mars/Olympus3', three hours west of Greenwich: those have digits and
 * come back in capitals. Only seven names of zones look the same, and are looked up.
 *
 * AT TIME ZONE is no test either: it takes 'EST' or 'CET' for an abbreviation, which has no summer
 * time, and may mean another one where a session has set timezone_abbreviations. So these give the
 * zones that their names are links to.
 */
DECLARE
    given text := canonical_timezone.name;
    zone text;
BEGIN
    given := coalesce(
        (
            SELECT a.timezone
            FROM rollup.timezone_aliases a
            WHERE a.alias = given
        ),
        given
    );
    given := CASE upper(given)
        WHEN 'CET' THEN 'Europe/Brussels'
        WHEN 'EET' THEN 'Europe/Athens'
        WHEN 'EST' THEN 'America/Panama'
        WHEN 'HST' THEN 'Pacific/Honolulu'
        WHEN 'MET' THEN 'Europe/Brussels'
        WHEN 'MST' THEN 'America/Phoenix'
        WHEN 'WET' THEN 'Europe/Lisbon'
        ELSE given
    END;

    -- 'Factory' is a file that says that no zone has been chosen; pg_timezone_names leaves it out.
    IF given IS NULL OR lower(given) IN ('', 'default', 'factory') THEN
        RETURN NULL;
    END IF;

    BEGIN
        zone := set_config('TimeZone', given, true);
    EXCEPTION
        WHEN invalid_parameter_value THEN
            RETURN NULL;
    END;

    IF lower(zone) <> lower(given) THEN
        RETURN NULL;
    END IF;

    IF zone = upper(zone) AND zone ~ '[0-9]' THEN
        IF zone IN ('CST6CDT', 'EST5EDT', 'GMT+0', 'GMT-0', 'GMT0', 'MST7MDT', 'PST8PDT') THEN
            RETURN (SELECT t.name FROM pg_timezone_names t WHERE t.name = zone);
        END IF;

        RETURN NULL;
    END IF;

    RETURN zone;
END
$function$;

COMMENT ON FUNCTION rollup.canonical_timezone(text) IS
    'The time zone of that name, or of that alias in the registry, as the server spells it; NULL where there is none.';
