"""What must stay the same when the cloud restarts: its ports, its secrets and the mirror's address.

Owns `STATE/cloud/endpoints.json`. Processes that were started before hold these ports in their environment.
"""

from __future__ import annotations

import json
import secrets
import socket
from dataclasses import asdict, dataclass, field
from pathlib import Path

from sandbox.cloud.store import write_atomically


@dataclass(kw_only=True)
class Endpoints:
    """`ports` by use: control, proxy, front, direct, and `metadata NAMESPACE/NAME` or `metadata
    NAMESPACE/NAME CLUSTER`. `token` opens the control API; `inside` is what a process tells the proxy to show
    that it runs in the hub's network; `key` (hex) signs access tokens; `mirror` is the mirror's base URL or
    ""."""

    path: Path
    ports: dict[str, int] = field(default_factory=dict)
    token: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    inside: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    key: str = field(default_factory=lambda: secrets.token_hex(32))
    mirror: str = ""

    @classmethod
    def open(cls, path: Path) -> Endpoints:
        """Read the file, or begin with new secrets and no ports."""
        return cls(path=path, **json.loads(path.read_text())) if path.exists() else cls(path=path)

    def listen(self, use: str) -> socket.socket:
        """A listening socket on loopback for a use: on its earlier port if that is free, else on a new
        one."""
        found = _listening(self.ports.get(use, 0)) or _listening(0)
        assert found is not None
        self.ports[use] = found.getsockname()[1]
        self.save()
        return found

    def save(self) -> None:
        """Write the file."""
        content = asdict(self)
        del content["path"]
        write_atomically(self.path, json.dumps(content, indent=1))


def _listening(port: int) -> socket.socket | None:
    made = socket.socket()
    # A port in TIME_WAIT from the process before is free; one with a living listener still is not.
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind(("127.0.0.1", port))
        made.listen(1024)
    except OSError:
        made.close()
        return None
    made.setblocking(False)
    return made
