"""The database as such: connecting, waiting for locks, and what a refusal means."""
