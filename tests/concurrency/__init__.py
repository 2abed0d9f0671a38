"""Sessions beside each other: deterministic interleavings, random steps, and load."""
