"""Time zones of accounts: what their days are, and what happens when zones change."""
