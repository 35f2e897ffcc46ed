"""``python -m agents.network``: the command line of the network agent."""

import sys

from agents.cli import main

if __name__ == "__main__":
    sys.exit(main())
