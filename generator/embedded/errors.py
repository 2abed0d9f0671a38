"""What can keep an embedded server from running."""

from __future__ import annotations

from generator.errors import RollupError

OWN_SERVER = "or give a server of your own with --database-url"


class EmbeddedServerError(RollupError):
    """The embedded server cannot be started, reached or stopped here."""
