"""Reports: what they answer, and what they refuse."""
