"""Writing events: every statement, in either write mode, leaves the rollups exact."""
