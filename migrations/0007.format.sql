-- How durable state is stored. A deployment converts what an older one has stored; an older program refuses
-- a database whose format it does not know. Deployments that were there before stored format 1.

ALTER TABLE rollup.deployments
    ADD COLUMN IF NOT EXISTS format integer NOT NULL DEFAULT 1;

COMMENT ON COLUMN rollup.deployments.format IS
    'How it stores what is durable: 1 or 2; 2: rollup.pending_events has the columns of the type rollup.event.';
