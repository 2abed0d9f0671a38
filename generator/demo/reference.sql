/*
    The tables of Chatwoot, a support desk, with the columns, defaults and indexes
    that the rollups meet there. Timestamps hold UTC; the application sets them.
*/
CREATE TABLE public.accounts (
    id serial PRIMARY KEY,
    name varchar,
    settings jsonb DEFAULT '{}',
    feature_flags bigint
);

CREATE TABLE public.conversations (
    id serial PRIMARY KEY,
    account_id integer,
    inbox_id integer,
    assignee_id integer,
    team_id bigint,
    status integer NOT NULL DEFAULT 0,
    created_at timestamp(6) NOT NULL
);

CREATE TABLE public.reporting_events (
    id bigserial PRIMARY KEY,
    name varchar,
    value double precision,
    value_in_business_hours double precision,
    account_id integer,
    inbox_id integer,
    user_id integer,
    conversation_id integer,
    event_start_time timestamp,
    event_end_time timestamp,
    created_at timestamp(6) NOT NULL,
    updated_at timestamp(6) NOT NULL
);

CREATE INDEX reporting_events__account_id__name__created_at
    ON public.reporting_events (account_id, name, created_at);
CREATE INDEX index_reporting_events_for_response_distribution
    ON public.reporting_events (account_id, name, inbox_id, created_at);
CREATE INDEX index_reporting_events_on_account_id ON public.reporting_events (account_id);
CREATE INDEX index_reporting_events_on_conversation_id ON public.reporting_events (conversation_id);
CREATE INDEX index_reporting_events_on_created_at ON public.reporting_events (created_at);
CREATE INDEX index_reporting_events_on_inbox_id ON public.reporting_events (inbox_id);
CREATE INDEX index_reporting_events_on_name ON public.reporting_events (name);
CREATE INDEX index_reporting_events_on_user_id ON public.reporting_events (user_id);
