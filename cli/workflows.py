"""The checks of .github/: actionlint for what GitHub would refuse, zizmor for what an attacker would use.

Owns their command lines. Does not own what they find fault with (.github/zizmor.yml says what is no fault here, and
why), nor how a check is run and told of (`cli.checks`).
"""

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from cli.failure import ExitCode, Failure

FOLDER = Path(".github")


def commands(
    root: Path, say: Callable[[str], None], *, actionlint: Path | None = None
) -> dict[str, list[str]]:
    """The checks of the checkout at `root`: name -> command line, to be run in `root`; exit code 0 means no finding.

    Nothing of them asks the network. `actionlint`: the program; built where it is None. shellcheck reads the scripts
    in the workflows where it is on PATH, and `say` is told where it is not. Raises Failure (exit code 3) where zizmor
    is missing, ToolError where actionlint cannot be built.
    """
    if actionlint is None:
        from sandbox.tools import ensure

        actionlint = ensure("workflows", say) / "actionlint"
    if shutil.which("shellcheck") is None:
        say("shellcheck is not on PATH: the scripts in the workflows are not looked at by it")
    files = sorted(str(path.relative_to(root)) for path in (root / FOLDER / "workflows").glob("*.yml"))
    return {
        "actionlint": [str(actionlint), "-no-color", *files],
        "zizmor": [
            str(_zizmor()),
            "--offline",
            "--no-progress",
            "--quiet",
            "--strict-collection",
            "--persona=pedantic",
            str(FOLDER),
        ],
    }


def _zizmor() -> Path:
    beside = str(Path(sys.executable).parent)
    found = shutil.which("zizmor", path=os.pathsep.join([beside, os.environ.get("PATH", "")]))
    if found is None:
        raise Failure(
            ExitCode.MISSING,
            f"zizmor is neither in {beside} nor on PATH",
            "run ./fleet test: it makes the environment from requirements-dev.txt, which holds zizmor",
        )
    return Path(found)
