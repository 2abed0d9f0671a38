-- What a deployment writes down of the events table: see rollup.note_uncounted().

COMMENT ON COLUMN rollup.deployments.definitions IS
    'For each function and view, SHA-256 of the text that the catalog kept of it; another text is of another hand. For the events table, its oid.';
