"""Start of the frozen agent: what PyInstaller turns into ``certwright-agent``."""

from __future__ import annotations

import multiprocessing
import sys

from agents.cli import main

if __name__ == "__main__":
    # A scan process is this program again, told by its arguments to be one; then this does not return.
    multiprocessing.freeze_support()
    sys.exit(main())
