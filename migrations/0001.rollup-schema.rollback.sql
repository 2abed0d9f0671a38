-- Undoes 0001. The rollup table, if it is in another schema, stays.

DROP SCHEMA IF EXISTS rollup CASCADE;
