"""`python -m sandbox.tools [GROUP...]`: get the tools and print the folder of each group.

Owns the command line. Does not own getting them.
"""

import argparse
import sys
from typing import cast

from sandbox.tools import GROUPS, GroupName, ToolError, ensure


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def main() -> int:
    """Exit code 0, or 3 where this machine lacks something."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.tools", description="Get the sandbox's tools.")
    parser.add_argument("group", nargs="*", help=f"one of {', '.join(GROUPS)}; none: all of them")
    asked = parser.parse_args().group or list(GROUPS)
    for name in asked:
        if name not in GROUPS:
            parser.error(f"there is no group {name}; there are {', '.join(GROUPS)}")
    try:
        for name in asked:
            print(ensure(cast(GroupName, name), _say), flush=True)
    except ToolError as error:
        _say(f"error: {error}")
        return 3
    except KeyboardInterrupt:
        _say("interrupted; what was compiled so far is kept")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
