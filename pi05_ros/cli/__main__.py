"""`python -m pi05_ros.cli`: the pi05 command without an installed script."""

import sys

from pi05_ros.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
