"""The messages and services of the engine's published protocol, as the Pulumi SDK ships them."""

from __future__ import annotations

import importlib
from typing import Any


def _module(name: str) -> Any:
    # By name: in a plugin process the packages above these modules are empty (plugins/light.py).
    return importlib.import_module(f"pulumi.runtime.proto.{name}")


analyzer: Any = _module("analyzer_pb2")
analyzer_grpc: Any = _module("analyzer_pb2_grpc")
engine: Any = _module("engine_pb2")
engine_grpc: Any = _module("engine_pb2_grpc")
language: Any = _module("language_pb2")
language_grpc: Any = _module("language_pb2_grpc")
plugin: Any = _module("plugin_pb2")
provider: Any = _module("provider_pb2")
provider_grpc: Any = _module("provider_pb2_grpc")
status: Any = _module("status_pb2")

_LARGEST_MESSAGE = 400 * 1024 * 1024
OPTIONS = [
    ("grpc.max_receive_message_length", _LARGEST_MESSAGE),
    ("grpc.max_send_message_length", _LARGEST_MESSAGE),
]
