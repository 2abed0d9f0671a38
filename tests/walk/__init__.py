"""A walk through a deployment's whole life, beside writers that never stop."""
