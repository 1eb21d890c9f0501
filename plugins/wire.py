"""The published protocol's messages, without the SDK around them.

Importing `pulumi.runtime.proto` the ordinary way runs all of `pulumi/__init__.py`: half a second and 40 MB in each plugin
process, and a fleet starts one process a cluster. So the packages above the generated modules are put in place empty.
Only a process that is a plugin may import this module: in it, `import pulumi` gives an empty package.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any


def _empty(name: str, folder: Path) -> None:
    if name not in sys.modules:
        package = ModuleType(name)
        package.__path__ = [str(folder)]
        sys.modules[name] = package


def _module(name: str) -> Any:
    return importlib.import_module(f"pulumi.runtime.proto.{name}")


if "pulumi" not in sys.modules:
    _found = importlib.util.find_spec("pulumi")
    if _found is None or not _found.submodule_search_locations:
        raise ImportError("the Pulumi SDK is not installed in this environment; install requirements.txt")
    _root = Path(next(iter(_found.submodule_search_locations)))
    _empty("pulumi", _root)
    _empty("pulumi.runtime", _root / "runtime")
    _empty("pulumi.runtime.proto", _root / "runtime" / "proto")

analyzer: Any = _module("analyzer_pb2")
analyzer_grpc: Any = _module("analyzer_pb2_grpc")
engine: Any = _module("engine_pb2")
engine_grpc: Any = _module("engine_pb2_grpc")
errors: Any = _module("errors_pb2")
language: Any = _module("language_pb2")
language_grpc: Any = _module("language_pb2_grpc")
plugin: Any = _module("plugin_pb2")
provider: Any = _module("provider_pb2")
provider_grpc: Any = _module("provider_pb2_grpc")
status: Any = _module("status_pb2")

OPTIONS = [("grpc.max_receive_message_length", 1024 * 1024 * 400), ("grpc.max_send_message_length", 1024 * 1024 * 400)]
