"""`python -m watchkeeper.app` is the `watchkeeper` command, for where its script is not on the path."""

from watchkeeper.app.main import main

main()
