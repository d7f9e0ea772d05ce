"""Runs a program that the kernel kills when the process that started it dies.

Run as `python -I -S pdeathsig.py PARENT_PID PROGRAM ARGUMENT…`. It is a separate program, not a hook between fork and
exec, because the parent may have threads, and Python code that runs after its fork can dead-lock on their locks.
The kernel watches the thread that started this program: start children from the main thread.
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
        # The parent may have died before the call above.
        if os.getppid() != parent_pid:
            sys.exit("The process that started this one is gone.")
    os.execvp(program[0], program)  # noqa: S606 - no shell is wanted


if __name__ == "__main__":
    main()
