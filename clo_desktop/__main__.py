"""Entry point of `python -m clo_desktop` and of the installed command `clo`."""

from __future__ import annotations

import sys


def main(arguments: list[str] | None = None) -> int:
    """Runs the command line; without arguments the window opens. Returns the exit code."""
    from clo_desktop import cli

    return cli.main(sys.argv[1:] if arguments is None else arguments)


if __name__ == "__main__":
    sys.exit(main())
