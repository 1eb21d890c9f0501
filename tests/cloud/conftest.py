"""Clouds for tests: in a thread over a stand-in for API servers, or as the real process over real ones."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox import clusters
from sandbox.cloud.server import Cloud
from tests.cloud import fleet
from tests.cloud.client import CLUSTER, SHOP, Client, until
from tests.cloud.machines import FakeMachines, Upstream
from tests.cloud.replay import Paper

ROOT = Path(__file__).parents[2]


def lay_foundation(state: Path, store: str) -> None:
    """Put what bootstrap made into the folder of a cloud that is not running."""
    (state / "cloud").mkdir(parents=True, exist_ok=True)
    (state / "cloud" / "store.json").write_text(store)


class Running:
    """A cloud in a thread of this process."""

    def __init__(self, state: Path, machines: FakeMachines) -> None:
        self._until: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._failure: BaseException | None = None
        self._cloud = Cloud(state, machines)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        until(lambda: (state / "cloud.json").exists() or self._failure is not None, "cloud.json")
        self.client = Client(state)

    def stop(self) -> None:
        """End the cloud as SIGTERM would."""
        if self._loop is not None and self._until is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._until.set)
        self._thread.join(30)
        assert not self._thread.is_alive()

    def _run(self) -> None:
        async def serve() -> None:
            self._loop, self._until = asyncio.get_running_loop(), asyncio.Event()
            await self._cloud.serve(self._until)

        try:
            asyncio.run(serve())
        except BaseException as error:
            self._failure = error
            raise


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    made = Upstream()
    yield made
    made.close()


@pytest.fixture
def machines(upstream: Upstream) -> FakeMachines:
    return FakeMachines(upstream)


@pytest.fixture(scope="session")
def foundation(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A store (its file's text) in which bootstrap has run."""
    path = tmp_path_factory.mktemp("foundation") / "store.json"
    cloud = Paper()
    cloud.bootstrap()
    cloud.save(path)
    return path.read_text()


@pytest.fixture
def running(tmp_path: Path, machines: FakeMachines, foundation: str) -> Iterator[Running]:
    lay_foundation(tmp_path, foundation)
    made = Running(tmp_path, machines)
    made.client.faults(grantDelay=0)
    yield made
    machines.hold.set()
    made.stop()


@pytest.fixture
def client(running: Running) -> Client:
    """A cloud in which bootstrap has run, and nothing else; grants count at once."""
    return running.client


@pytest.fixture
def hub(client: Client) -> Client:
    """A cloud with a fleet and its hub."""
    fleet.hub(client)
    return client


class Process:
    """The real process over one state folder."""

    def __init__(self, state: Path) -> None:
        self.state = state
        self.log = state / "cloud.log"
        self.start()

    def start(self) -> None:
        (self.state / "cloud.json").unlink(missing_ok=True)
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "sandbox.cloud", "--state", str(self.state)],
                cwd=ROOT,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
                stderr=log,
                start_new_session=True,
            )
        until(
            lambda: (self.state / "cloud.json").exists() or self.process.poll() is not None,
            "cloud.json",
            seconds=30,
        )
        assert self.process.poll() is None, self.log.read_text()[-2000:]
        self.client = Client(self.state)

    def end(self) -> int:
        """SIGTERM; returns the exit code."""
        self.process.terminate()
        return self.process.wait(40)


@pytest.fixture(scope="session")
def real(tmp_path_factory: pytest.TempPathFactory, foundation: str) -> Iterator[Process]:
    """The real process with a hub and the member `shop`, both real API servers."""
    state = tmp_path_factory.mktemp("sandbox")
    lay_foundation(state, foundation)
    process = Process(state)
    try:
        process.client.faults(grantDelay=0)
        fleet.hub(process.client)
        fleet.admit(process.client)
        process.client.made(CLUSTER, **fleet.cluster("shop", SHOP))
        yield process
    finally:
        if process.process.poll() is None:
            process.end()
        clusters.delete_all(state)
        assert clusters.running(state) == []
