"""Roles and rights: who may do what, and what a role that may not is told."""
