CREATE OR REPLACE FUNCTION rollup.require_choice(what text, given text, choices text[])
 RETURNS void
 LANGUAGE plpgsql
 IMMUTABLE
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict use_column
/*
 * Refuses to go on (SQLSTATE 22023) where what is given is none of the choices, which the hint lists.
 */
BEGIN
    IF (require_choice.given = ANY (require_choice.choices)) IS NOT TRUE THEN
        RAISE EXCEPTION '%', CASE
                WHEN require_choice.given IS NULL THEN format('no %s given', require_choice.what)
                ELSE format('unknown %s %L', require_choice.what, require_choice.given)
            END
            USING ERRCODE = 'invalid_parameter_value',
                HINT = format('Use one of: %s.', array_to_string(require_choice.choices, ', '));
    END IF;
END
$function$;

COMMENT ON FUNCTION rollup.require_choice(text, text, text[]) IS
    'Raises 22023 where a word is none of the choices.';
