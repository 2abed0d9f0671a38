"""The documentation, and what writes those of its pages that come from the source."""
