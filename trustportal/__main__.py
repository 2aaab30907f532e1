"""`python -m trustportal`: what `make run` runs."""

import signal
import sys

if __name__ == "__main__":
    # Until the portal's own handlers are there nothing runs yet, and Ctrl-C ends this process at once. Python's own
    # handler would raise in the middle of an import, where it can get lost.
    signal.signal(signal.SIGINT, signal.SIG_DFL)

    from trustportal.config import Settings
    from trustportal.supervise import run_portal

    sys.exit(run_portal(Settings.from_env()))
