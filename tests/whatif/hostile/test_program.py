"""Hostile programs of a head, run by the real Pulumi CLI on paper.

Does not prove anything about the official plugins: a preview with those never runs a program of a stranger.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from plugins.language_python.settings import packages_of
from tests.whatif.hostile.conftest import Planted, Previewed

pytestmark = pytest.mark.engine

Preview = Callable[..., Previewed]

EVERYTHING = """\
import json, sys
sys.path.insert(0, ".")
import attacks
import pulumi

targets = pulumi.Config().require_object("targets")
pulumi.export("got", sorted(name for name, found in attacks.everything(targets).items() if found))
pulumi.export("said", "the program ran to its end")
"""
ASSETS = """\
import pulumi

pulumi.export("asset", pulumi.RemoteAsset(pulumi.Config().require("url")))
pulumi.export("said", "the program ran to its end")
"""
WAYS_OUT = """\
import grpc
import pulumi
from google.protobuf import struct_pb2
from pulumi.runtime.proto import callback_pb2, resource_pb2
from pulumi.runtime.settings import get_monitor

url = pulumi.Config().require("url")
monitor = get_monitor()
asset = struct_pb2.Struct()
asset.update({"a": {"4dabf18193072939515e22adb298388d": "c44067f5952c0a294b673a41bacd8c17", "uri": url}})
file = struct_pb2.Struct()
file.update({"kubeconfig": "/etc/passwd"})
Resource = resource_pb2.RegisterResourceRequest
ways = {
    "asset": lambda: monitor.RegisterResource(Resource(type="gcp:a:B", name="a", custom=True, object=asset)),
    "dynamic": lambda: monitor.RegisterResource(
        Resource(type="pulumi-python:dynamic:Resource", name="d", custom=True)
    ),
    "plugin": lambda: monitor.RegisterResource(
        Resource(type="gcp:a:B", name="p", custom=True, pluginDownloadURL=url)
    ),
    "kubeconfig": lambda: monitor.RegisterResource(
        Resource(type="pulumi:providers:kubernetes", name="k", custom=True, object=file)
    ),
    "transform": lambda: monitor.RegisterStackTransform(callback_pb2.Callback(target=url[7:])),
}
for name, way in ways.items():
    try:
        way()
    except grpc.RpcError as error:
        pulumi.log.info(f"{name}: {error.code().name}")
pulumi.export("said", "the program ran to its end")
"""


@pytest.fixture
def program(planted: Planted) -> Iterator[Callable[[str], Path]]:
    """Put a program into the head."""
    path = planted.head / "__main__.py"

    def write(text: str) -> Path:
        path.write_text(text)
        return planted.head

    yield write
    path.unlink(missing_ok=True)


def _got(text: str) -> list[str]:
    listed = re.search(r"got *: \[\n(.*?)\n *\]", text, re.DOTALL)
    return re.findall(r'\[\d+\]: "(\w+)"', listed[1]) if listed else []


@pytest.mark.parametrize("is_confined", [False, True])
def test_a_program_that_tries_everything(
    *,
    is_confined: bool,
    planted: Planted,
    program: Callable[[str], Path],
    previewed: Preview,
    apart: dict[str, str],
) -> None:
    variables = apart if is_confined else {"GITHUB_TOKEN": planted.token}
    heard = len(planted.heard)
    # A daemon of an ordinary child would stay: test_attacks.py ends the one that it asks for.
    targets = {name: value for name, value in planted.targets.items() if is_confined or name != "mark"}
    said = previewed(program(EVERYTHING), variables, {"targets": json.dumps(targets)})
    assert said.code == 0, said.text
    assert "the program ran to its end" in said.text
    if is_confined:
        assert _got(said.text) == ["leave_a_daemon"]
        assert planted.heard[heard:] == []
        assert not _processes_with(planted.targets["mark"])
    else:
        assert {"own_environment", "connect_to_a_listener", "write_the_policies"} <= set(_got(said.text))


def _processes_with(mark: str) -> list[str]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().split(b"\0")
        except OSError:
            continue
        if mark.encode() in words:
            found.append(path.parent.name)
    return found


@pytest.mark.parametrize("is_confined", [False, True])
def test_the_engine_fetches_nothing_for_a_program(
    *,
    is_confined: bool,
    planted: Planted,
    program: Callable[[str], Path],
    previewed: Preview,
    apart: dict[str, str],
) -> None:
    """The engine itself would: it hashes what an asset points to."""
    heard = len(planted.heard)
    url = f"http://127.0.0.1:{planted.targets['port']}/secret"
    said = previewed(program(ASSETS), apart if is_confined else {}, {"url": url})
    if is_confined:
        assert said.code != 0
        assert "refused by the gate" in said.text
        assert f"the asset '{url}' would be read by the engine" in said.text
        assert planted.heard[heard:] == []
    else:
        assert said.code == 0, said.text
        assert planted.heard[heard:] != []


def test_a_refusal_fails_the_run_where_the_program_goes_on(
    planted: Planted, program: Callable[[str], Path], previewed: Preview, apart: dict[str, str]
) -> None:
    heard = len(planted.heard)
    said = previewed(program(WAYS_OUT), apart, {"url": f"http://127.0.0.1:{planted.targets['port']}/secret"})
    for way in ("asset", "dynamic", "plugin", "kubeconfig", "transform"):
        assert f"{way}: PERMISSION_DENIED" in said.text
    assert said.code != 0
    assert "so this preview is not complete" in said.text
    assert planted.heard[heard:] == []


def test_a_program_that_hangs_is_ended(
    program: Callable[[str], Path], previewed: Preview, apart: dict[str, str]
) -> None:
    said = previewed(program("import signal; signal.pause()"), {**apart, "GKE_FLEET_PROGRAM_SECONDS": "2"})
    assert said.code != 0
    assert "the program was ended; its time limit is 2 s" in said.text


def test_a_program_outside_of_the_head_is_not_run(
    tmp_path: Path, previewed: Preview, apart: dict[str, str]
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "__main__.py").write_text("print('it ran')")
    said = previewed(elsewhere, apart)
    assert said.code != 0
    assert "is not part of the checkout" in said.text
    assert "it ran" not in said.text


def test_a_program_runs_in_the_environment_that_is_named(
    tmp_path: Path, program: Callable[[str], Path], previewed: Preview
) -> None:
    other = tmp_path / "other"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(other)], check=True)
    (packages,) = packages_of(other / "bin/python")
    (packages / "of_this_environment.py").write_text("NAME = 'the other one'\n")
    own = next(entry for entry in sys.path if entry.endswith("site-packages"))
    (packages / "rest.pth").write_text(own + "\n")
    text = "import pulumi, of_this_environment\npulumi.export('where', of_this_environment.NAME)\n"
    said = previewed(program(text), {"GKE_FLEET_PROGRAM_PYTHON": str(other / "bin/python")})
    assert said.code == 0, said.text
    assert '"the other one"' in said.text


def test_wrong_settings_start_nothing(
    program: Callable[[str], Path], previewed: Preview, tmp_path: Path
) -> None:
    said = previewed(
        program("print('it ran')"),
        {
            "GKE_FLEET_PROGRAM_CONFINED": "yes",
            "GKE_FLEET_PROGRAM_FOLDER": "relative",
            "GKE_FLEET_PROGRAM_PYTHON": str(tmp_path / "bin/python"),
        },
    )
    assert said.code != 0
    for name in ("CONFINED=yes", "FOLDER=relative", f"PYTHON={tmp_path}"):
        assert f"GKE_FLEET_PROGRAM_{name}" in said.text
    assert "it ran" not in said.text
