"""The product under torture: `python -m tests.torture` lets everything happen at once.

Writers in every isolation level, rebuilds, folds, changes of time zone, killed connections and
crashes of the server, while the oracle looks on and every writer keeps a ledger of its own.
"""
