-- Undoes 0004.

DROP POLICY IF EXISTS rollup_all ON rollup.invalidations;
