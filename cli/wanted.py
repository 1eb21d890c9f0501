"""What the program of a stack wants, whatever there is: its resources as a state would hold them, from a preview on
paper.

Owns the way to it. A preview on the real ground cannot tell: it asks the clusters that it can reach, and fails at the
first object that is there and not in the state.
"""

import shutil
from pathlib import Path
from typing import Any

from cli.engine import Engine
from cli.failure import ExitCode, Failure
from whatif.preview import preview


def wanted_states(engine: Engine, stack: str, *, import_file: Path | None = None) -> list[dict[str, Any]]:
    """The states in the order of registration; the CLI writes its list of importable resources to `import_file`.

    Raises Failure where the program or the CLI says no.
    """
    cli = shutil.which(engine.cli, path=engine.environment.get("PATH"))
    seen = preview(engine.project, stack, cli=Path(cli or engine.cli), import_file=import_file, states=True)
    if seen.exit_code != 0:
        raise Failure(
            ExitCode.REFUSED, "\n  ".join([f"stack {stack} cannot be previewed:", *seen.diagnostics])
        )
    return seen.states
