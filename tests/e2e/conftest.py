"""A whole sandbox for the end-to-end tests.

Owns a copy of the checkout in a folder of its own (so that tests may edit its files and two runs on one machine do
not meet), the commands run in it, and its end. Does not own what is asserted.
"""

import asyncio
import json
import os
import shutil
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import aiohttp
import pytest
import yaml

T = TypeVar("T")

OWNER = "owner@acme.example"
CHECKOUT = Path(__file__).resolve().parents[2]


def copy_of_the_checkout(to: Path) -> Path:
    """Copy what git tracks, or would, to `to`."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=CHECKOUT,
        capture_output=True,
        check=True,
    ).stdout
    for name in filter(None, listed.decode().split("\0")):
        source = CHECKOUT / name
        if source.is_file():
            target = to / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)
    return to


@dataclass
class Sandbox:
    """A copy of the checkout whose sandbox is up.

    Attributes:
        root: the copy.
        first: what the first `./fleet up` printed.
    """

    root: Path
    first: subprocess.CompletedProcess[str] | None = None

    @property
    def state(self) -> Path:
        return self.root / ".sandbox"

    def popen(self, *arguments: str) -> subprocess.Popen[str]:
        """Start `./fleet ARGUMENTS` without waiting for it."""
        return subprocess.Popen(
            [sys.executable, "-m", "cli", *arguments],
            cwd=self.root,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "COLUMNS": "200"},
        )

    def fleet(self, *arguments: str, seconds: float = 600) -> subprocess.CompletedProcess[str]:
        """Run `./fleet ARGUMENTS` (its Python part, in this environment) to its end."""
        process = self.popen(*arguments)
        try:
            out, err = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            out, err = process.communicate()
            raise AssertionError(
                f"./fleet {' '.join(arguments)} took over {seconds} s:\n{out}\n{err}"
            ) from None
        return subprocess.CompletedProcess(arguments, process.returncode, out, err)

    def up(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """`./fleet up`, which must succeed."""
        done = self.fleet("up", *arguments)
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
        return done

    def shell(self, *command: str) -> subprocess.CompletedProcess[str]:
        """`./fleet shell -- COMMAND`."""
        return self.fleet("shell", "--", *command)

    def kubectl(self, cluster: str, *arguments: str) -> Any:
        """What kubectl answers as the deployer through the gateway (`-o json`), or None where it is not there."""
        done = self.shell("kubectl", "--context", cluster, *arguments, "-o", "json")
        if "NotFound" in done.stderr:
            return None
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout) if done.stdout.strip() else {}

    def application(self, name: str) -> Any:
        """The Application object `name`, or None."""
        return self.kubectl("hub", "-n", "argocd", "get", "application", name)

    def edit(self, path: str, old: str, new: str) -> None:
        """Replace `old`, which must be there exactly once, in the copy's file `path`."""
        file = self.root / path
        text = file.read_text()
        assert text.count(old) == 1, f"{path} holds {text.count(old)} times: {old}"
        file.write_text(text.replace(old, new))

    def change(self, path: str, how: Callable[[Any], object]) -> None:
        """Read the copy's YAML file `path`, let `how` change the document, and write it back."""
        file = self.root / path
        document = yaml.safe_load(file.read_text())
        how(document)
        file.write_text(yaml.safe_dump(document, sort_keys=False))

    def restore(self, path: str) -> None:
        """Bring the copy's file `path` back to what the checkout has."""
        shutil.copy2(CHECKOUT / path, self.root / path)

    def cloud(self, method: str, path: str, body: Any = None, *, seconds: float = 30) -> Any:
        """Ask the cloud's control API."""
        known = json.loads((self.state / "cloud.json").read_text())
        request = urllib.request.Request(
            known["control"] + path,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {known['token']}", "Content-Type": "application/json"},
            method=method,
        )
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=seconds) as answer:
                return json.loads(answer.read() or b"{}")
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{method} {path} {body}: {error.code} {error.read().decode()}") from None

    def owner_creates(self, token: str, inputs: dict[str, Any]) -> str:
        """Make a resource that no stack knows, as the owner of everything; its id."""
        asked = {"type": token, "inputs": inputs, "as": OWNER}
        return str(self.cloud("POST", "/v1/create", asked, seconds=120)["id"])

    def owner_deletes(self, token: str, id_: str) -> None:
        """Delete a resource as the owner of everything."""
        self.cloud("POST", "/v1/delete", {"type": token, "id": id_, "as": OWNER}, seconds=120)

    def token(self, account: str) -> str:
        """An access token of an account or a user that the cloud knows."""
        return str(self.cloud("POST", "/v1/token", {"account": account})["access_token"])

    def workload_token(self, namespace: str, service_account: str, cluster: str | None = None) -> str:
        """The token that a pod with this ServiceAccount gets from its metadata server (default: on the hub).

        Raises urllib.error.HTTPError where Workload Identity says no.
        """
        asked = {"namespace": namespace, "serviceAccount": service_account}
        host = self.cloud("POST", "/v1/metadata", {**asked, "cluster": cluster} if cluster else asked)["host"]
        request = urllib.request.Request(
            f"http://{host}/computeMetadata/v1/instance/service-accounts/default/token",
            headers={"Metadata-Flavor": "Google"},
        )
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=30) as answer:
            return str(json.loads(answer.read())["access_token"])

    def call(self, token: str, method: str, url: str, body: Any = None, *, inside: bool = False) -> int:
        """The HTTP status that an https address of Google Cloud answers; `inside`: called from the hub's network."""
        known = json.loads((self.state / "cloud.json").read_text())
        proxy = urllib.request.ProxyHandler({"https": known["hubProxy" if inside else "proxy"]})
        trust = urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=known["ca"]))
        request = urllib.request.Request(
            url,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
            method=method,
        )
        try:
            with urllib.request.build_opener(proxy, trust).open(request, timeout=30) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code

    def upgrade(self, token: str, url: str) -> int:
        """The HTTP status that an https address answers to a WebSocket upgrade (101: it is open; it is closed then)."""

        async def ask() -> int:
            known = json.loads((self.state / "cloud.json").read_text())
            trust = ssl.create_default_context(cafile=known["ca"])
            async with aiohttp.ClientSession() as session:
                try:
                    opened = await session.ws_connect(
                        url,
                        headers={"Authorization": f"Bearer {token}"},
                        protocols=["v4.channel.k8s.io"],
                        proxy=known["proxy"],
                        ssl=trust,
                    )
                except aiohttp.WSServerHandshakeError as refused:
                    return refused.status
                await opened.close()
                return 101

        return asyncio.run(ask())


def until(what: str, ask: Callable[[], T | None], seconds: float = 120) -> T:
    """Ask until the answer is true; fails with `what` at the deadline."""
    deadline = time.monotonic() + seconds
    while True:
        answer = ask()
        if answer:
            return answer
        assert time.monotonic() < deadline, f"not within {seconds:.0f} s: {what}"
        time.sleep(0.5)


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    made = Sandbox(copy_of_the_checkout(tmp_path_factory.mktemp("e2e")))
    try:
        made.first = made.fleet("up", seconds=1200)
        assert made.first.returncode == 0, f"{made.first.stdout}\n{made.first.stderr}"
        yield made
    finally:
        if made.state.exists():
            made.fleet("down", "--force")
