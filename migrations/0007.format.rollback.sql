-- Undoes 0007.

ALTER TABLE rollup.deployments DROP COLUMN IF EXISTS format;
