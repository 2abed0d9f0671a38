"""The command line: what commands ask, print and exit with."""
