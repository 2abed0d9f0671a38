-- Undoes 0003.

DROP TABLE IF EXISTS rollup.partitions;
