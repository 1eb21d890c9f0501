"""A policy pack as a child of the language host: one process, from the engine's first call to the end of the run.

The tests speak to it as the engine does. What they do not prove: what the CLI makes of it; tests/policies/test_cli.py
does.
"""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf import empty_pb2
from pulumi.runtime.proto import analyzer_pb2, analyzer_pb2_grpc

from plugins.language_python.policy_pack import PolicyPack

SAYS = """
import os, sys
import grpc
import pulumi
from pulumi_policy import EnforcementLevel, PolicyPack, ResourceValidationPolicy
import beside

print("before")
print("an error", file=sys.stderr)


def look(args, report):
    print("asked about", args.name, args.stack_tags.get("tag"))
    report("|".join((str(os.getpid()), os.environ.get("PULUMI_STACK", "none"), beside.NAME, os.getcwd(),
                     str(pulumi.Config("p").get("key")), str(pulumi.runtime.is_dry_run()), grpc.server.__module__)))


rule = ResourceValidationPolicy("says", "says where it is", look, EnforcementLevel.ADVISORY)
PolicyPack("says", [rule])
"""
REFUSED = "the policy pack did not start; its own output says why"


@dataclass
class Running:
    """A pack that runs, and what it has said so far."""

    pack: PolicyPack
    stub: Any
    port: int
    thread: threading.Thread
    said: list[tuple[str, Any]] = field(default_factory=list)

    def ended(self) -> list[tuple[str, Any]]:
        """All that it said, once it has ended."""
        self.thread.join(timeout=30)
        assert not self.thread.is_alive()
        return self.said

    def wait_for(self, line: bytes) -> None:
        """Wait until it has said `line` on stdout."""
        deadline = time.monotonic() + 30
        while ("stdout", line) not in self.said:
            assert time.monotonic() < deadline, self.said
            time.sleep(0.01)

    def stack(self, **more: Any) -> Any:
        """Tell it its stack, as the engine does at once."""
        request = analyzer_pb2.AnalyzerStackConfigureRequest(
            stack="dev", project="p", organization="o", config={"p:key": "value"}, tags={"tag": "t"}, **more
        )
        return self.stub.ConfigureStack(request, timeout=60)

    def heard(self) -> list[str]:
        """What its one rule says about a resource."""
        answer = self.stub.Analyze(analyzer_pb2.AnalyzeRequest(type="a:b:C", name="one"), timeout=60)
        return str(answer.diagnostics[0].message).partition("\n")[2].split("|")


Start = Callable[[str], Running]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts a pack of this program; all are ended afterwards."""
    folder = tmp_path / "pack"
    folder.mkdir()
    (folder / "beside.py").write_text("NAME = 'a module beside it'\n")
    made: list[Running] = []

    def started(program: str) -> Running:
        (folder / "__main__.py").write_text(program)
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PULUMI_")}
        pack = PolicyPack(str(folder), ["127.0.0.1:1"], kept)
        messages = pack.messages()
        port = int(next(messages).stdout)
        channel = grpc.insecure_channel(f"127.0.0.1:{port}")

        def follow() -> None:
            for message in messages:
                name = message.WhichOneof("output")
                running.said.append((name, getattr(message, name)))

        thread = threading.Thread(target=follow)
        running = Running(pack, analyzer_pb2_grpc.AnalyzerStub(channel), port, thread)
        thread.start()
        made.append(running)
        running.stub.Handshake(analyzer_pb2.AnalyzerHandshakeRequest(), timeout=60)
        return running

    yield started
    for one in made:
        one.pack.end()
        one.ended()


@contextmanager
def refused(code: grpc.StatusCode) -> Iterator[Any]:
    with pytest.raises(grpc.RpcError) as error:
        yield error
    assert error.value.code() is code


def test_the_engine_speaks_to_the_process_of_the_rules(start: Start) -> None:
    running = start(SAYS)
    running.stack(dry_run=True)
    pid, *_ = running.heard()
    os.kill(int(pid), signal.SIGKILL)
    running.ended()
    with socket.socket() as tried:
        assert tried.connect_ex(("127.0.0.1", running.port)) != 0


def test_the_pack_knows_its_stack_and_finds_what_lies_beside_it(start: Start) -> None:
    running = start(SAYS)
    running.stack(dry_run=True)
    _, stack, beside, folder, value, is_dry, server = running.heard()
    assert (stack, beside, value, is_dry) == ("dev", "a module beside it", "value", "True")
    assert Path(folder).name == "pack"
    # What the pack itself does with gRPC is its own.
    assert server == "grpc"


def test_a_call_before_the_stack_is_told_starts_the_pack_without_one(start: Start) -> None:
    running = start(SAYS)
    assert running.stub.GetAnalyzerInfo(empty_pb2.Empty(), timeout=60).name == "says"
    _, stack, _, _, value, *_ = running.heard()
    assert (stack, value) == ("none", "None")
    running.stack()
    assert running.heard()[1] == "none"
    running.wait_for(b"asked about one t\n")


def test_what_the_pack_says_reaches_the_engine_and_the_port_is_said_once(start: Start) -> None:
    running = start(SAYS)
    running.stack()
    running.heard()
    running.wait_for(b"asked about one t\n")
    running.pack.end()
    said = running.ended()
    assert [each for each in said if each[0] == "stdout"] == [
        ("stdout", b"before\n"),
        ("stdout", b"asked about one t\n"),
    ]
    assert ("stderr", b"an error\n") in said
    assert said[-1] == ("exitcode", 0)


def test_a_pack_that_fails_says_why_and_refuses_the_call(start: Start) -> None:
    running = start("raise ValueError('the pack is broken')\n")
    with refused(grpc.StatusCode.UNAVAILABLE) as error:
        running.stack()
    assert error.value.details() == REFUSED
    said = running.ended()
    assert any(b"ValueError: the pack is broken" in each[1] for each in said if each[0] == "stderr")
    assert said[-1] == ("exitcode", 1)


def test_a_program_without_a_pack_refuses_the_call(start: Start) -> None:
    running = start("print('no pack')\n")
    with refused(grpc.StatusCode.UNAVAILABLE) as error:
        running.stub.GetAnalyzerInfo(empty_pb2.Empty(), timeout=60)
    assert error.value.details() == REFUSED
    assert running.ended() == [("stdout", b"no pack\n"), ("exitcode", 0)]


def test_a_module_beside_the_pack_comes_before_one_of_the_environment(start: Start, tmp_path: Path) -> None:
    (tmp_path / "pack" / "pulumi_policy.py").write_text("NAME = 'its own'\n")
    running = start("import pulumi_policy\nprint(pulumi_policy.NAME)\n")
    with refused(grpc.StatusCode.UNAVAILABLE):
        running.stack()
    assert running.ended()[0] == ("stdout", b"its own\n")


def test_a_pack_ends_with_its_run_whether_it_was_asked_or_not(start: Start) -> None:
    for is_asked in (True, False):
        running = start(SAYS)
        if is_asked:
            running.stack()
        running.pack.end()
        assert running.ended()[-1] == ("exitcode", 0)
        assert running.pack._process.wait(timeout=30) == -signal.SIGTERM


def test_a_method_that_no_pack_has_is_refused(start: Start) -> None:
    running = start(SAYS)
    channel = grpc.insecure_channel(f"127.0.0.1:{running.port}")
    for _ in range(2):
        with refused(grpc.StatusCode.UNIMPLEMENTED):
            channel.unary_unary("/pulumirpc.Analyzer/Nothing")(b"", timeout=60)
