"""``python -m backout``: the command, where its script is not on PATH."""

from backout.cli import main

main()
