"""`python -m daemon` is `labferry`: for child processes that must run in the same environment."""

from daemon.cli import main

main()
