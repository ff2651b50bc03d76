"""Runs a command that cannot outlive its supervisor: `python supervised_child.py PID COMMAND…`.

The supervisor may be killed with SIGKILL, and a robot's nodes must not go on without it. This file
runs first in each child, asks the kernel to kill it when its parent dies, and then becomes the
command. A `preexec_fn` could do the same only in a process without threads; this way is safe in
all. It imports nothing of the suite, so that it costs a bare interpreter's start (about 15 ms).
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1  # linux/prctl.h


def main() -> None:
    """Set the parent-death signal of the kernel and execute the command."""
    parent, command = int(sys.argv[1]), sys.argv[2:]
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    # A shell starts background jobs with SIGINT ignored, which a child would inherit.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    if os.getppid() != parent:  # It died before the line above.
        sys.exit(1)
    try:
        os.execvp(command[0], command)
    except OSError as error:
        sys.exit(f"{command[0]} cannot be started: {error.strerror}")


if __name__ == "__main__":
    main()
