"""A policy pack as a child process of the language host.

Owns its start and its end, and what it says on the way to the engine. Does not own what it answers: the engine speaks
to it directly (pack.py).
"""

from __future__ import annotations

import queue
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from plugins import process, wire

_PACK = Path(__file__).with_name("pack.py")
_LAST_WORDS_SECONDS = 5.0


class PolicyPack:
    """One run of the pack in `folder`. `arguments` are the engine's."""

    def __init__(self, folder: str, arguments: list[str], environment: dict[str, str]) -> None:
        self._output: queue.Queue[Any] = queue.Queue()
        self._is_ended = False
        self._process = subprocess.Popen(
            [sys.executable, "-u", str(_PACK), *arguments, folder],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        threading.Thread(target=self._follow, daemon=True).start()

    def messages(self) -> Iterator[Any]:
        """What the pack says, as the engine expects it: the port first, the exit code last."""
        while True:
            message = self._output.get()
            yield message
            if message.WhichOneof("output") == "exitcode":
                return

    def end(self) -> None:
        """End the pack."""
        self._is_ended = True
        if self._process.poll() is None:
            self._process.terminate()
        self._output.put(wire.language.RunPluginResponse(exitcode=0))

    def _follow(self) -> None:
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        errors = threading.Thread(target=self._copy, args=(self._process.stderr, "stderr"), daemon=True)
        errors.start()
        with process.child(self._process):
            self._copy(_port_once(self._process.stdout), "stdout")
            code = self._process.wait()
        errors.join(timeout=_LAST_WORDS_SECONDS)
        self._output.put(wire.language.RunPluginResponse(exitcode=0 if self._is_ended else code))

    def _copy(self, lines: Iterable[bytes], name: str) -> None:
        for line in lines:
            self._output.put(wire.language.RunPluginResponse(**{name: line}))


def _port_once(stream: BinaryIO | Any) -> Iterator[bytes]:
    """The lines of a pack, whose first is the port, without the one in which the SDK says it again."""
    port = stream.readline()
    yield port
    for line in stream:
        if line == port:
            break
        yield line
    yield from stream
