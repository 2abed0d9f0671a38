"""Rendering: from a registry and templates to the SQL of every object, without a database."""
