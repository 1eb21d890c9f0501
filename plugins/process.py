"""A plugin as a process: a port on stdout, then service until the engine or the engine's process ends.

Owns starting the server, ending with the parent, and ending quietly on the engine's interrupt. Does not own
what is served.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc

from plugins.wire import OPTIONS

_PARENT_CHECK_SECONDS = 0.5
_THREADS = 64
_CHILD_END_SECONDS = 4.0

_children: set[subprocess.Popen[Any]] = set()


@contextlib.contextmanager
def child(process: subprocess.Popen[Any]) -> Iterator[None]:
    """For as long as the context lasts, `process` is ended when this process ends."""
    _children.add(process)
    try:
        yield
    finally:
        _children.discard(process)


def end_children() -> None:
    """End every child, first asking, then by force."""
    for process in list(_children):
        with contextlib.suppress(OSError):
            process.terminate()
    deadline = time.monotonic() + _CHILD_END_SECONDS
    for process in list(_children):
        try:
            process.wait(timeout=max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            with contextlib.suppress(OSError):
                process.kill()


def serve(register: Callable[[grpc.Server], None], *, parent: int, grace: float = 4.0) -> None:
    """Serve what `register` adds to the server on a free port of 127.0.0.1, until interrupted or orphaned.

    `parent`: pid of the parent as this process began; by now it may have ended. `grace`: seconds that calls
    under way may take to finish after the interrupt. The engine waits five.
    """
    done = threading.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: done.set())
    server = grpc.server(ThreadPoolExecutor(max_workers=_THREADS), options=OPTIONS)
    register(server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    orphaned = False
    while not done.wait(_PARENT_CHECK_SECONDS):
        if os.getppid() != parent:
            orphaned = True
            break
    if not orphaned:
        server.stop(grace).wait(grace)
    end_children()
    # Threads that still wait for a cluster would hold the interpreter, and there is nothing left to tell anyone.
    os._exit(0)
