-- Undoes 0002.

DROP TABLE IF EXISTS rollup.timezone_requests;
