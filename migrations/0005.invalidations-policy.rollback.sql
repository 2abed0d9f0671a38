-- Undoes 0005.

DROP POLICY IF EXISTS rollup_all ON rollup.invalidations;
