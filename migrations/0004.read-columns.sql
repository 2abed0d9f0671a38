-- The columns of the events that are read, as of the last deployment, so that a change is noticed.

CREATE TABLE IF NOT EXISTS rollup.read_columns (
    schema_name text NOT NULL,
    table_name text NOT NULL,
    column_name text NOT NULL,
    relation oid NOT NULL,
    attnum smallint NOT NULL,
    type oid NOT NULL,
    type_schema text NOT NULL,
    type_name text NOT NULL,
    type_modifier integer NOT NULL,
    collation_schema text,
    collation_name text,
    PRIMARY KEY (schema_name, table_name, column_name)
);

COMMENT ON TABLE rollup.read_columns IS
    'The columns of the events table that are read, as of the last deployment: see rollup.changed_columns.';
COMMENT ON COLUMN rollup.read_columns.schema_name IS
    'The schema of the events table.';
COMMENT ON COLUMN rollup.read_columns.table_name IS
    'The name of the events table.';
COMMENT ON COLUMN rollup.read_columns.column_name IS
    'The name of the column.';
COMMENT ON COLUMN rollup.read_columns.relation IS
    'The oid of the events table; where it is another now, as after a restore, columns and types are known by their names.';
COMMENT ON COLUMN rollup.read_columns.attnum IS
    'The number of the column in its table, which no other column ever gets.';
COMMENT ON COLUMN rollup.read_columns.type IS
    'The oid of its type.';
COMMENT ON COLUMN rollup.read_columns.type_schema IS
    'The schema of its type.';
COMMENT ON COLUMN rollup.read_columns.type_name IS
    'The name of its type.';
COMMENT ON COLUMN rollup.read_columns.type_modifier IS
    'Its length or precision, as pg_attribute.atttypmod has it; -1: none.';
COMMENT ON COLUMN rollup.read_columns.collation_schema IS
    'The schema of its collation; NULL: it has none.';
COMMENT ON COLUMN rollup.read_columns.collation_name IS
    'The name of its collation; NULL: it has none.';
