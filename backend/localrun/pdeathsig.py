"""Becomes the program it is given; the kernel kills that program when the process that started it dies.

Run as `python -I -S pdeathsig.py PARENT_PID PROGRAM ARGUMENT…`. A program of its own and not a hook between fork and
exec, because the starter may have threads by then, and Python code that runs there can dead-lock on their locks.
The kernel watches the thread that started us: start children from the main thread.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    parent_pid, program = int(sys.argv[1]), sys.argv[2:]
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        # The starter may have died before the kernel was told to watch it.
        if os.getppid() != parent_pid:
            sys.exit("The process that started this one is gone.")
    os.execvp(program[0], program)  # noqa: S606 - no shell is wanted


if __name__ == "__main__":
    main()
