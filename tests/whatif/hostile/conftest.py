"""What the hostile program goes after, planted: credentials, listeners, a process, files to write to."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from plugins import confine, workspace

ROOT = Path(__file__).resolve().parents[3]
ATTACKS = Path(__file__).with_name("attacks.py")
_VICTIM = "import ctypes, signal; ctypes.CDLL(None).prctl(0x59616D61, -1, 0, 0, 0); print(flush=True); signal.pause()"


@dataclass
class Planted:
    """The machine as the hostile program would like it. `heard`: what came to the listeners."""

    folder: Path
    head: Path
    home: Path
    targets: dict[str, Any]
    heard: list[str] = field(default_factory=list)

    @property
    def token(self) -> str:
        """What must not be found."""
        return str(self.targets["token"])


@pytest.fixture(scope="session")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Planted]:
    """All of it, until the tests are over."""
    reason = confine.possible()
    assert reason is None, f"these tests need a system that can confine a program: {reason}"
    folder = tmp_path_factory.mktemp("hostile")
    token, mark = f"token-{uuid.uuid4().hex}", f"mark-{uuid.uuid4().hex}"
    head, home, base = folder / "head", folder / "home", folder / "base"
    files = {
        head / ".git/config": f"[http]\n extraheader = {token}\n",
        head / "Pulumi.yaml": "name: theirs\nruntime: python\n",
        home / ".config/gcloud/application_default_credentials.json": token,
        home / ".docker/config.json": token,
        base / "__main__.py": "",
        base / "policies/PulumiPolicy.yaml": "",
        base / "plugins/resource-gcp/pulumi-resource-gcp": "",
    }
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    shutil.copy(ATTACKS, head)
    found = Planted(folder=folder, head=head, home=home, targets={})
    with contextlib.ExitStack() as stack:
        victim = stack.enter_context(_victim(token))
        # A path that is short enough for a socket, in the folder that everybody shares.
        shared = Path(stack.enter_context(_shared_folder()))
        listeners = (
            (socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", 0)),
            (socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", 0)),
            (socket.AF_UNIX, socket.SOCK_STREAM, str(shared / "socket")),
            (socket.AF_UNIX, socket.SOCK_STREAM, "\0" + mark),
        )
        opened = [stack.enter_context(_listener(found.heard, *each)) for each in listeners]
        found.targets |= {
            "token": token,
            "variable": "GITHUB_TOKEN",
            "mark": mark,
            "victim": victim,
            "home": str(home),
            "head": str(head),
            "port": opened[0].getsockname()[1],
            "name_server": opened[1].getsockname()[1],
            "socket_file": str(shared / "socket"),
            "abstract": mark,
            "base_file": str(base / "__main__.py"),
            "pack_file": str(base / "policies/PulumiPolicy.yaml"),
            "plugin_file": str(base / "plugins/resource-gcp/pulumi-resource-gcp"),
            "environment_file": str(Path(pytest.__file__)),
            "temporary": str(shared),
        }
        yield found


@contextlib.contextmanager
def _victim(token: str) -> Iterator[int]:
    """A process of the same user that has a token, as the wrapper and the engine have."""
    with subprocess.Popen(
        [sys.executable, "-S", "-c", _VICTIM],
        env={**os.environ, "GITHUB_TOKEN": token},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
    ) as running:
        assert running.stdout is not None
        running.stdout.readline()
        try:
            yield running.pid
        finally:
            running.kill()


@contextlib.contextmanager
def _shared_folder() -> Iterator[str]:
    path = Path(f"/tmp/gke-fleet-hostile-{uuid.uuid4().hex[:12]}")
    path.mkdir(mode=0o700)
    try:
        yield str(path)
    finally:
        shutil.rmtree(path)


@contextlib.contextmanager
def _listener(heard: list[str], family: int, kind: int, address: Any) -> Iterator[socket.socket]:
    """Answers whoever comes, and notes it."""
    with socket.socket(family, kind) as own:
        own.bind(address)
        if kind == socket.SOCK_STREAM:
            own.listen()

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    if kind == socket.SOCK_DGRAM:
                        text, sender = own.recvfrom(1000)
                        if sender is None:
                            return
                        heard.append(text.decode())
                        own.sendto(b"answered", sender)
                        continue
                    connection, _ = own.accept()
                    with connection:
                        heard.append(str(address))
                        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nfound")

        threading.Thread(target=serve, daemon=True).start()
        yield own
        with contextlib.suppress(OSError):
            own.shutdown(socket.SHUT_RDWR)


@dataclass(frozen=True)
class Ended:
    """One run of a command in a cell."""

    code: int
    out: str
    err: str


Run = Callable[..., Ended]


@pytest.fixture
def confined(planted: Planted) -> Run:
    """Run Python code in a cell, with the head to read."""

    def run(code: str, *arguments: str, seconds: float = 60) -> Ended:
        with confine.start(
            [sys.executable, "-c", code, *arguments],
            folder=planted.head,
            readable=(Path(sys.prefix), planted.head),
            hidden=(planted.head / ".git",),
            environment=confine.environment({**os.environ, "GITHUB_TOKEN": planted.token}),
            seconds=seconds,
            out=subprocess.PIPE,
        ) as running:
            # Not communicate(): it closes the standard input, and with that the cell.
            assert running.stdout is not None
            assert running.stderr is not None
            errors: list[bytes] = []
            reader = threading.Thread(target=lambda: errors.append(running.stderr.read()))  # type: ignore[union-attr]
            reader.start()
            out = running.stdout.read()
            reader.join()
            code_ = running.wait()
        return Ended(code_, out.decode(errors="replace"), b"".join(errors).decode(errors="replace"))

    return run


@pytest.fixture(scope="session")
def cli() -> Path:
    """The Pulumi CLI."""
    from sandbox.tools import ensure

    return Path(ensure("pulumi", lambda _: None)) / "pulumi"


@dataclass(frozen=True)
class Previewed:
    """What the CLI said about a program."""

    code: int
    text: str


@pytest.fixture
def previewed(cli: Path, tmp_path: Path) -> Callable[..., Previewed]:
    """Preview a program of the folder `head` on paper, by the real CLI."""

    def run(head: Path, variables: Mapping[str, str], config: Mapping[str, str] | None = None) -> Previewed:
        project = tmp_path / "project"
        project.mkdir()
        (tmp_path / "backend").mkdir()
        (project / "Pulumi.yaml").write_text(f"name: theirs\nruntime: python\nmain: {head}\n")
        environment = workspace.make(
            tmp_path / "home",
            cli=cli,
            backend_url=(tmp_path / "backend").as_uri(),
            ground="paper",
            state=None,
        )
        environment |= variables

        def call(*arguments: str) -> subprocess.CompletedProcess[str]:
            command = [str(cli), *arguments, "--stack", "dev", "--non-interactive"]
            return subprocess.run(
                command,
                cwd=project,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=120,
            )

        call("stack", "init")
        settings = project / "Pulumi.dev.yaml"
        described = yaml.safe_load(settings.read_text())
        described["config"] = {f"theirs:{name}": value for name, value in (config or {}).items()}
        settings.write_text(yaml.safe_dump(described))
        done = call("preview", "--diff", "--suppress-progress", "--color", "never")
        return Previewed(done.returncode, done.stdout)

    return run


@pytest.fixture
def apart(planted: Planted) -> dict[str, str]:
    """The variables by which the wrapper has the program of the head confined."""
    return {
        "GKE_FLEET_PROGRAM_CONFINED": "1",
        "GKE_FLEET_PROGRAM_FOLDER": str(planted.head),
        "GKE_FLEET_PROGRAM_SECONDS": "60",
        "GITHUB_TOKEN": planted.token,
    }
