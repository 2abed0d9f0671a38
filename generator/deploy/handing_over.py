"""What a role has made that deploys in place of the owner of our schema: it becomes the owner's.

Triggers run as the owner, who would not be allowed to use the functions and tables of another role.
"""

from __future__ import annotations

from generator.deploy.statements import Statement

HAND_OVER = Statement(
    text="""
DO $hand_over$
DECLARE
    made text;
    owner text := (
        SELECT quote_ident(r.rolname)
        FROM pg_namespace n
        JOIN pg_roles r ON r.oid = n.nspowner
        WHERE n.nspname = 'rollup'
        AND NOT pg_has_role(r.oid, current_user, 'USAGE')
    );
BEGIN
    IF owner IS NULL THEN
        RETURN;
    END IF;

    FOR made IN
        SELECT
            CASE c.relkind WHEN 'v' THEN 'VIEW ' WHEN 'c' THEN 'TYPE ' ELSE 'TABLE ' END
            || c.oid::regclass
        FROM pg_class c
        WHERE c.relnamespace = 'rollup'::regnamespace
        AND c.relkind IN ('r', 'v', 'c')
        AND pg_get_userbyid(c.relowner) = current_user
        UNION ALL
        SELECT 'ROUTINE ' || p.oid::regprocedure
        FROM pg_proc p
        WHERE p.pronamespace = 'rollup'::regnamespace
        AND pg_get_userbyid(p.proowner) = current_user
    LOOP
        EXECUTE format('ALTER %s OWNER TO %s', made, owner);
    END LOOP;
END
$hand_over$"""
)
