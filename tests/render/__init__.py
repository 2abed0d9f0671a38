"""Rendering: the SQL that is committed, how it is quoted, and what checkers and plans say of it."""
