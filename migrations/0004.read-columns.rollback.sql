-- Undoes 0004.

DROP TABLE IF EXISTS rollup.read_columns;
