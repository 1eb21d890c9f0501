"""What the runner does where the hub does not help."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import pytest

from sandbox.argocd.hub import CloudHub, Found, GivenHub, Unknown
from sandbox.argocd.runner import Runner, surroundings
from sandbox.process import start_time


async def run_until_written(runner: Runner) -> None:
    """Run `runner` until it has said that it is there, then end it as SIGTERM does."""
    task = asyncio.create_task(runner.run())
    while not (runner.state / "argocd.json").exists():
        assert not task.done()
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def test_what_a_killed_runner_left_is_ended_and_another_s_process_is_not(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "import signal; signal.pause()"]
    with subprocess.Popen(command) as left, subprocess.Popen(command) as another:
        (tmp_path / "argocd").mkdir()
        (tmp_path / "argocd" / "processes.json").write_text(
            json.dumps(
                {
                    "argocd-server": {"pid": left.pid, "start": start_time(left.pid)},
                    "argocd-redis": {"pid": another.pid, "start": "1"},
                }
            )
        )
        asyncio.run(run_until_written(Runner(tmp_path, GivenHub(tmp_path / "none"), tmp_path)))
        assert left.wait(5) != 0
        assert another.poll() is None
        another.kill()
    assert not (tmp_path / "argocd.json").exists()


def test_a_hub_that_cannot_be_read_is_tried_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text("contexts: [")

    async def run() -> None:
        task = asyncio.create_task(Runner(tmp_path, GivenHub(kubeconfig), tmp_path).run())
        while "beginning anew" not in caplog.text:
            assert not task.done()
            await asyncio.sleep(0.05)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(asyncio.wait_for(run(), 30))


def test_a_cloud_that_does_not_answer_is_not_a_hub_that_is_gone(tmp_path: Path) -> None:
    with pytest.raises(Unknown):
        asyncio.run(CloudHub(tmp_path).find())


def test_a_changed_kubeconfig_is_another_hub(tmp_path: Path) -> None:
    kubeconfig = tmp_path / "kubeconfig"
    hub = GivenHub(kubeconfig)
    assert asyncio.run(hub.find()) is None
    kubeconfig.write_text("a")
    assert asyncio.run(hub.find()) == Found(kubeconfig, "a")
    kubeconfig.write_text("b")
    assert asyncio.run(hub.find()) != Found(kubeconfig, "a")


def test_the_processes_stand_in_the_hub_s_network(tmp_path: Path) -> None:
    assert surroundings(tmp_path) == {}
    cloud = {
        "proxy": "http://127.0.0.1:1",
        "hubProxy": "http://hub:secret@127.0.0.1:1",
        "ca": str(tmp_path / "ca.pem"),
    }
    (tmp_path / "cloud.json").write_text(json.dumps(cloud))
    made = surroundings(tmp_path)
    assert made["HTTPS_PROXY"] == made["https_proxy"] == "http://hub:secret@127.0.0.1:1"
    # A private endpoint is https://10.x.y.z: whatever NO_PROXY named more would have to leave those out.
    assert made["NO_PROXY"] == made["no_proxy"] == "127.0.0.1,localhost"
