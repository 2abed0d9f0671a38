-- For pgbench: events one after the other in random order, so that each is still there.
\set number :number + 1
\set id permute(:number, :events) + 1
DELETE FROM public.reporting_events
WHERE id = :id;
