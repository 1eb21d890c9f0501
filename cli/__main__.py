"""`python -m cli`: the entry that the script `fleet` starts."""

from cli.app import main

main()
