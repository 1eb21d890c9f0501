"""One run of a program: as a child with the wrapper's rights, in a process that is ready for it, or confined.

Owns the process, what it sees and what its end means. Does not own the cell (plugins/confine.py), what a
confined program may ask of the engine (gate.py), nor how a process is made ready (ready.py).
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import grpc

from plugins import confine, process, wire
from plugins.language_python.gate import NAME, Gate, told
from plugins.language_python.ready import Running, hand_over
from plugins.language_python.settings import Settings

_SHOWN = 32
"""Exit code of a program that has shown its error already."""
_PROGRAM = Path(__file__).with_name("program.py")
_PASSED = ("PULUMI_CONFIG", "PULUMI_CONFIG_SECRET_KEYS")
_BYTE_CODE = "PYTHONPYCACHEPREFIX"
_MOST_PARALLEL = 32


def run(
    described: Mapping[str, Any],
    folder: Path,
    environment: Mapping[str, str],
    how: Settings,
    context: grpc.ServicerContext,
) -> Any:
    """Run the program that `described` (as program.py reads it) in `folder`; returns the RunResponse."""
    if how.folder is not None:
        return _confined(described, folder, environment, how, how.folder, context)
    if how.loaded is not None:
        described = {**described, "loaded": str(how.loaded)}
    running: subprocess.Popen[bytes] | Running | None = None
    if how.ready is not None:
        running = hand_over(how.ready, described, folder, environment, python=how.python)
    if running is None:
        command = [str(how.python), "-u", str(_PROGRAM), json.dumps(described)]
        running = subprocess.Popen(command, cwd=folder, env=environment, stdin=subprocess.DEVNULL)
    return _response(_wait(running, context))


def _confined(
    described: Mapping[str, Any],
    folder: Path,
    environment: Mapping[str, str],
    how: Settings,
    checkout: Path,
    context: grpc.ServicerContext,
) -> Any:
    if not folder.resolve().is_relative_to(checkout.resolve()):
        return _error(f"the program in {folder} is not part of the checkout {checkout}, so it is not run")
    prefix = how.python.parent.parent
    passed = {name: environment[name] for name in _PASSED if name in environment}
    # Byte code of the environment's own packages, made by those who made the environment. It is read-only here.
    cached = Path(environment.get(_BYTE_CODE) or "/nowhere")
    if cached.is_relative_to(prefix):
        passed[_BYTE_CODE] = str(cached)
    gate = Gate(monitor=described["monitor"], engine=described["engine"])
    try:
        address = f"unix:{confine.SOCKETS}/{NAME}"
        asked = {
            **described,
            "monitor": address,
            "engine": address,
            "parallel": min(int(described["parallel"]), _MOST_PARALLEL),
        }
        running = confine.start(
            [str(how.python), "-u", str(_PROGRAM), json.dumps(asked)],
            folder=folder,
            readable=(prefix, checkout, _PROGRAM),
            # A checkout of a workflow may hold its token there.
            hidden=(checkout / ".git",),
            environment=confine.environment(os.environ, **passed),
            seconds=how.seconds,
            sockets=gate.folder,
        )
        code = _wait(running, context)
    except confine.CannotConfine as error:
        return _error(str(error))
    finally:
        gate.close()
    if gate.refused:
        return _error(told(gate.refused))
    if code == confine.ENDED:
        return _error(f"the program was ended; its time limit is {how.seconds:g} s")
    if code == confine.NOT_MADE:
        return _error(
            f"the program could not be confined, so it was not run: {confine.possible() or 'see above'}"
        )
    return _response(code)


def _wait(running: subprocess.Popen[bytes] | Running, context: grpc.ServicerContext) -> int:
    def end() -> None:
        if running.poll() is None:
            with contextlib.suppress(OSError):
                running.terminate()

    if not context.add_callback(end):
        # The engine went while the program came up.
        end()
    # Running is what process.child needs of a Popen.
    with process.child(cast(subprocess.Popen[Any], running)):
        return running.wait()


def _response(code: int) -> Any:
    if code == 0:
        return wire.language.RunResponse()
    if code == _SHOWN:
        return wire.language.RunResponse(bail=True)
    return _error(f"Program exited with non-zero exit code: {code}")


def _error(text: str) -> Any:
    return wire.language.RunResponse(error=text)
