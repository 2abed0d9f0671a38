"""Making rollups whole: backfills, verification, rebuilds, and what is done after damage."""
