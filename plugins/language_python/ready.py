"""An interpreter that has imported a program's modules before there is a run, and handing a run to it.

Owns both ends: the wrapper starts the process and ends it, the language host gives it the program or sees that it does
not fit. Does not own what the process does (program.py), nor which modules are worth it: a run tells them
(settings.LOADED).

The process belongs to the wrapper, so that it can come up while another run goes on. It is there for one program. The
host looks at what it says of itself before it gives it anything; where it does not fit, or does not answer, nothing
was run in it and the program is started afresh. Its limit: a program that ends its process by itself (os._exit) has no
exit code here, and counts as ended by force.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from plugins.language_python.settings import PREFIX, READY
from plugins.workspace import scrubbed

_PROGRAM = Path(__file__).with_name("program.py")
_ANSWER_SECONDS = 5.0
_END_SECONDS = 2.0
_PIECE = 1 << 16
_SHELLS = frozenset({"PWD", "OLDPWD", "SHLVL", "_"})
"""What the shell that starts the language host sets anew."""


class Ready:
    """The process, as the wrapper has it. `variables`: what tells the language host of it."""

    def __init__(self, running: subprocess.Popen[bytes], path: Path) -> None:
        self._running, self._path = running, path
        self.variables = {READY: str(path)}

    def end(self) -> None:
        """End it and what its program left behind, whatever they do."""
        assert self._running.stdin is not None
        self._running.stdin.close()
        self._send(signal.SIGTERM)
        try:
            self._running.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            self._send(signal.SIGKILL)
            self._running.wait()
        shutil.rmtree(self._path.parent, ignore_errors=True)

    def _send(self, sent: signal.Signals) -> None:
        # To the group, as the engine does it with the language host's, where a program else is.
        if self._running.returncode is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._running.pid, sent)


def start(python: Path, modules: Sequence[str], folder: Path, environment: Mapping[str, str]) -> Ready | None:
    """Start the interpreter `python` on importing `modules`; what cannot be imported is passed by.

    It ends with this process, or by end(). It runs the code of the packages, so it is for a program that is not
    confined. `folder`: where it has its socket, in a folder that is private. `environment`: that of the CLI's run that
    it is for. None where this system cannot do it, or the path of the socket would be too long.
    """
    if not hasattr(socket, "send_fds"):
        return None
    made = Path(tempfile.mkdtemp(prefix="ready-", dir=folder))
    path = made / "socket"
    try:
        (made / "modules").write_text("".join(f"{name}\n" for name in modules))
        return Ready(_started(python, path, _plain(environment)), path)
    except OSError:
        # The path of a socket takes about 100 bytes. Whatever else it is, the run of the program meets it and says it.
        shutil.rmtree(made, ignore_errors=True)
        return None


def _started(python: Path, path: Path, environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    # The socket listens before the process begins, and in the process alone afterwards: whoever connects is waited for
    # or refused, and never too early.
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(path))
        path.chmod(0o600)
        listener.listen(1)
        running = subprocess.Popen(
            [
                str(python),
                "-u",
                str(_PROGRAM),
                "--ready",
                str(listener.fileno()),
                str(path.parent / "modules"),
            ],
            cwd=path.parent,
            env=dict(environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            pass_fds=[listener.fileno()],
            # As the engine does it for a plugin: an interrupt from the terminal comes by way of the engine.
            process_group=0,
        )
    # Pipes, since that is what a program's streams are when its interpreter begins; nothing is read from them.
    for stream in (running.stdout, running.stderr):
        assert stream is not None
        stream.close()
    return running


def _plain(environment: Mapping[str, str]) -> dict[str, str]:
    """`environment` as far as it counts for an import: program.py says which of the rest is read, and when."""
    return {
        name: value
        for name, value in scrubbed(environment).items()
        if name not in _SHELLS and not name.startswith(PREFIX)
    }


class Running:
    """A program in the process that was ready: as much of subprocess.Popen as a run needs."""

    def __init__(self, pid: int, connection: socket.socket) -> None:
        self.pid = pid
        self._connection = connection
        self._code: int | None = None
        self._signal = signal.SIGKILL
        self._ended = threading.Event()
        threading.Thread(target=self._follow, daemon=True).start()

    def poll(self) -> int | None:
        """The exit code, None while it runs."""
        return self._code

    def wait(self, timeout: float | None = None) -> int:
        """The exit code; negative where the process was ended. Raises subprocess.TimeoutExpired after `timeout` s."""
        if not self._ended.wait(timeout):
            assert timeout is not None
            raise subprocess.TimeoutExpired(str(_PROGRAM), timeout)
        assert self._code is not None
        return self._code

    def terminate(self) -> None:
        """Ask it to end."""
        self._send(signal.SIGTERM)

    def kill(self) -> None:
        """End it."""
        self._send(signal.SIGKILL)

    def _send(self, sent: signal.Signals) -> None:
        if self._code is None:
            self._signal = sent
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, sent)

    def _follow(self) -> None:
        """Wait for the end of the process, which lets go of the connection last."""
        said = b""
        with contextlib.suppress(OSError), self._connection:
            while piece := self._connection.recv(_PIECE):
                said += piece
        self._code = int(said) if said else -self._signal
        self._ended.set()


def hand_over(
    path: Path,
    described: Mapping[str, Any],
    folder: Path,
    environment: Mapping[str, str],
    *,
    python: Path,
    out: int = 1,
    err: int = 2,
) -> Running | None:
    """Have the process that waits at the socket `path` run the program that `described` says, in `folder`.

    `out`, `err`: descriptors for what it says. None where no process answers in a few seconds, or where it is not what
    `python` would be for this program: then nothing was run.
    """
    with contextlib.ExitStack() as opened:
        connection = opened.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
        try:
            about = _answer(connection, path)
            if not folder.is_dir() or not _fits(
                about, python, environment, folder / str(described["program"])
            ):
                return None
            job = {"described": dict(described), "folder": str(folder), "environment": dict(environment)}
            text = json.dumps(job).encode() + b"\n"
            connection.settimeout(_ANSWER_SECONDS)
            # A program begins with the last byte of its job: after an error there is none.
            sent = socket.send_fds(connection, [text[:_PIECE]], [out, err])
            connection.sendall(text[sent:])
        except (OSError, ValueError):
            return None
        connection.settimeout(None)
        opened.pop_all()
        return Running(int(about["pid"]), connection)


def _answer(connection: socket.socket, path: Path) -> dict[str, Any]:
    """What the process says of itself, once it has imported everything. Raises OSError, ValueError."""
    deadline = time.monotonic() + _ANSWER_SECONDS
    text = b""
    connection.settimeout(_ANSWER_SECONDS)
    connection.connect(str(path))
    while not text.endswith(b"\n"):
        connection.settimeout(max(deadline - time.monotonic(), 0.001))
        piece = connection.recv(_PIECE)
        if not piece:
            raise ConnectionAbortedError
        text += piece
    found: dict[str, Any] = json.loads(text)
    return found


def _fits(about: Mapping[str, Any], python: Path, environment: Mapping[str, str], program: Path) -> bool:
    """Whether the process `about` is as `python` would be when it comes to the code of `program`."""
    own = Path(about["python"])
    # Interpreters of two virtual environments may be links to one file; the folder tells the environments apart.
    is_same = own.samefile(python) and own.parent.samefile(python.parent)
    if not is_same or _plain(about["environment"]) != _plain(environment):
        return False
    place = program if program.is_dir() else program.parent
    return not {each.name.partition(".")[0] for each in place.iterdir()} & set(about["names"])
