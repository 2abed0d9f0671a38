-- Lets everyone who may write to rollup.invalidations do so after FORCE ROW LEVEL SECURITY, too.

-- Writers append there by the rights of the owner, and no write may fail. Row-level security is not
-- switched on by this. A policy that is permissive cannot take away what this one allows.
DROP POLICY IF EXISTS rollup_all ON rollup.invalidations;
CREATE POLICY rollup_all ON rollup.invalidations USING (true) WITH CHECK (true);

COMMENT ON POLICY rollup_all ON rollup.invalidations IS
    'Keeps FORCE ROW LEVEL SECURITY from failing writes of events and accounts.';
