"""Loopback ports of the components, the same over restarts.

Owns which port a component has. Does not own who listens. A client process keeps the address that it was
started with, so a component that restarts must come back at the same one.
"""

import contextlib
import json
import random
import socket
from pathlib import Path

_RANGE = range(30000, 32768)
"""Below Linux's range of outgoing ports, so that no client connection can sit on a component's port."""


class Ports:
    """Ports by component and name, kept in a file."""

    def __init__(self, record: Path) -> None:
        self._record = record
        self._known: dict[str, int] = {}
        with contextlib.suppress(OSError, ValueError):
            self._known = json.loads(record.read_text())

    def get(self, component: str, name: str) -> int:
        """The port called `name` of `component`; a free one the first time."""
        key = f"{component}:{name}"
        if key not in self._known:
            self._keep(key, _free(set(self._known.values())))
        return self._known[key]

    def check(self, component: str, name: str) -> int:
        """Like `get` for a component that is about to listen: a port that is taken is replaced by a free
        one."""
        port = self.get(component, name)
        if not _is_free(port):
            port = _free(set(self._known.values()))
            self._keep(f"{component}:{name}", port)
        return port

    def _keep(self, key: str, port: int) -> None:
        self._known[key] = port
        scratch = self._record.with_suffix(".new")
        scratch.write_text(json.dumps(self._known, indent=1))
        scratch.replace(self._record)


def _free(taken: set[int]) -> int:
    for port in random.sample(_RANGE, len(_RANGE)):
        if port not in taken and _is_free(port):
            return port
    raise OSError(f"no free port between {_RANGE.start} and {_RANGE.stop} on 127.0.0.1")


def _is_free(port: int) -> bool:
    with socket.socket() as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            one.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
