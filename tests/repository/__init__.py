"""The repository itself: its documents, its wheel, its layers, its tests and benchmarks."""
