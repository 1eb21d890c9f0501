"""Processes are ended by pid, never another's; ports stay."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from sandbox.argocd import client
from sandbox.argocd.ports import Ports
from sandbox.process import end, start_time

_SLEEPER = [sys.executable, "-c", "import signal; signal.pause()"]
_DEAF = [
    sys.executable,
    "-c",
    "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); signal.pause()",
]


def test_a_process_is_ended_by_its_pid() -> None:
    with subprocess.Popen(_SLEEPER) as process:
        asyncio.run(end(process.pid, start_time(process.pid) or ""))
        assert process.wait(5) == -signal.SIGTERM


def test_a_deaf_process_is_killed() -> None:
    with subprocess.Popen(_DEAF, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stdout.readline() == b"deaf\n"
        asyncio.run(end(process.pid, start_time(process.pid) or "", seconds=0.2))
        assert process.wait(5) == -signal.SIGKILL


def test_a_pid_that_belongs_to_another_process_by_now_is_left_alone() -> None:
    with subprocess.Popen(_SLEEPER) as process:
        asyncio.run(end(process.pid, "1"))
        assert process.poll() is None
        process.kill()


def test_there_is_no_start_time_of_a_process_that_is_gone() -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert start_time(process.pid) is None
    process.wait()
    assert start_time(process.pid) is None


def test_a_component_keeps_its_port(tmp_path: Path) -> None:
    ports = Ports(tmp_path / "ports.json")
    first = ports.get("redis", "redis")
    assert ports.get("argocd-server", "api") != first
    assert Ports(tmp_path / "ports.json").check("redis", "redis") == first


def test_a_port_that_somebody_else_took_is_replaced(tmp_path: Path) -> None:
    ports = Ports(tmp_path / "ports.json")
    first = ports.get("redis", "redis")
    with socket.create_server(("127.0.0.1", first)):
        second = ports.check("redis", "redis")
    assert second != first
    assert ports.get("redis", "redis") == second


def test_without_a_server_there_is_no_session(tmp_path: Path) -> None:
    assert client.client_environment(tmp_path) == {"ARGOCD_CONFIG_DIR": str(tmp_path / "argocd" / "client")}
    with pytest.raises(client.NoAccess, match=r"\./fleet up"):
        client.session(tmp_path)
