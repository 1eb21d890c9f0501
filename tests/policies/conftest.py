"""The pack as a process, spoken to as the CLI does: the fixtures of the tests that run it."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf import struct_pb2
from pulumi.runtime.proto import analyzer_pb2, analyzer_pb2_grpc

import policies

FOLDER = Path(policies.__file__).parent


@dataclass(frozen=True)
class Pack:
    """A running pack: its process and the analyzer service behind the port that it printed."""

    process: subprocess.Popen[bytes]
    analyzer: Any

    def analyze(self, resource_type: str, properties: Mapping[str, Any], name: str = "one") -> list[Any]:
        """The diagnostics for one resource, as the engine would get them."""
        inputs = struct_pb2.Struct()
        inputs.update(properties)
        request = analyzer_pb2.AnalyzeRequest(
            type=resource_type,
            properties=inputs,
            urn=f"urn:pulumi:dev::test::{resource_type}::{name}",
            name=name,
        )
        return list(self.analyzer.Analyze(request, timeout=30).diagnostics)


@pytest.fixture(scope="session")
def bare_pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the pack's folder alone, under another name, as a published pack lies on a machine."""
    folder = tmp_path_factory.mktemp("published") / "another-name"
    shutil.copytree(FOLDER, folder, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


@pytest.fixture(scope="session")
def pack(bare_pack: Path) -> Iterator[Pack]:
    """The pack, started as the CLI's Python host starts it, in the order of calls of the CLI."""
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "pulumi.policy", "127.0.0.1:1", str(bare_pack)],
        cwd=bare_pack, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env={name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stderr is not None
    line = process.stdout.readline()
    assert line.strip().isdigit(), line + process.stderr.read()
    with grpc.insecure_channel(f"127.0.0.1:{int(line)}") as channel:
        analyzer = analyzer_pb2_grpc.AnalyzerStub(channel)
        analyzer.ConfigureStack(
            analyzer_pb2.AnalyzerStackConfigureRequest(stack="dev", project="test", dry_run=True),
            wait_for_ready=True, timeout=30,
        )  # fmt: skip
        analyzer.Configure(analyzer_pb2.ConfigureAnalyzerRequest(), timeout=30)
        yield Pack(process, analyzer)
    process.terminate()
    process.communicate(timeout=30)
