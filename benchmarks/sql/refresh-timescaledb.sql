CALL public.refresh_continuous_aggregate('public.reporting_events_by_day', NULL, NULL)
