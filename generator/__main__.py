"""`python -m generator`."""

import sys

try:
    from generator.cli import main
except KeyboardInterrupt:
    sys.exit(130)

if __name__ == "__main__":
    main()
