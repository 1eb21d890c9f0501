"""A plugin process without the SDK around the protocol's messages.

Importing `pulumi.runtime.proto` the ordinary way runs all of `pulumi/__init__.py`: half a second and 40 MB
in each plugin process, and a fleet starts one process a cluster. So the packages above the generated
modules are put in place empty. Only the entry of a plugin process does this: afterwards `import pulumi`
gives an empty package.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType


def empty_the_sdk() -> None:
    """Put empty packages in place of the SDK's upper ones. Raises ImportError where there is no SDK."""
    found = importlib.util.find_spec("pulumi")
    if found is None or not found.submodule_search_locations:
        raise ImportError("the Pulumi SDK is not installed in this environment; install requirements.txt")
    root = Path(next(iter(found.submodule_search_locations)))
    folders = {
        "pulumi": root,
        "pulumi.runtime": root / "runtime",
        "pulumi.runtime.proto": root / "runtime" / "proto",
    }
    for name, folder in folders.items():
        package = ModuleType(name)
        package.__path__ = [str(folder)]
        sys.modules.setdefault(name, package)
