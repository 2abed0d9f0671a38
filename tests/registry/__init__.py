"""Registries: what is refused, what a change of one does, and what the packaged one counts."""
