-- As a repair job does it, for pgbench.
\set id random(1, :events)
\set seconds random(1, 86400)
UPDATE public.reporting_events
SET value = :seconds
WHERE id = :id;
