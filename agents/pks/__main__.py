"""``python -m agents.pks``: the command line with the PKS agent as the only kind."""

import sys

from agents.cli import main

if __name__ == "__main__":
    sys.exit(main())
