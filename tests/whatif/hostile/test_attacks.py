"""Each attack of the hostile program: it gets something where nothing keeps it in, and nothing in a cell.

Does not prove that there is no other attack, nor that the kernel has no hole.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from plugins import confine
from tests.whatif.hostile import attacks
from tests.whatif.hostile.conftest import ATTACKS, Planted, Run

_RIGHTS_OF_THE_MACHINE = {"write_the_python"}
"""Where Python belongs to root, a user cannot do this anywhere."""


def _left(mark: str) -> list[int]:
    """The processes of this machine that the program has left."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().split(b"\0")
        except OSError:
            continue
        if mark.encode() in words:
            found.append(int(path.parent.name))
    return found


@pytest.fixture(scope="module")
def free(planted: Planted) -> Iterator[dict[str, str | None]]:
    """What the program gets as an ordinary child."""
    done = subprocess.run(
        [sys.executable, str(ATTACKS), json.dumps(planted.targets)],
        env={**os.environ, "GITHUB_TOKEN": planted.token},
        cwd=planted.head,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    left = _left(planted.targets["mark"])
    found = json.loads(done.stdout)
    assert bool(left) == bool(found["leave_a_daemon"])
    for each in left:
        os.kill(each, 9)
    yield found


@pytest.fixture(scope="module")
def kept(planted: Planted, free: dict[str, str | None]) -> dict[str, str | None]:
    """What it gets in a cell. What it has left there must not be there any more."""
    heard = len(planted.heard)
    with confine.start(
        [sys.executable, str(planted.head / "attacks.py"), json.dumps(planted.targets)],
        folder=planted.head,
        readable=(Path(sys.prefix), planted.head),
        hidden=(planted.head / ".git",),
        environment=confine.environment({**os.environ, "GITHUB_TOKEN": planted.token}),
        seconds=60,
        out=subprocess.PIPE,
    ) as running:
        assert running.stdout is not None
        found: dict[str, str | None] = json.loads(running.stdout.read())
        assert running.wait() == 0
    assert planted.heard[heard:] == []
    assert _left(planted.targets["mark"]) == []
    return found


@pytest.mark.parametrize("attack", [attack.__name__ for attack in attacks.ATTACKS])
def test_what_is_possible_for_a_child_is_not_possible_in_a_cell(
    attack: str, free: dict[str, str | None], kept: dict[str, str | None]
) -> None:
    if attack not in _RIGHTS_OF_THE_MACHINE:
        assert free[attack] is not None, "this attack shows nothing: it fails without a cell too"
    if attack == "leave_a_daemon":
        # It may start one; the fixture has seen that it did not outlive the program.
        return
    assert kept[attack] is None


def test_the_token_is_nowhere_in_what_the_program_got(planted: Planted, kept: dict[str, str | None]) -> None:
    assert planted.token not in json.dumps(kept)


def test_there_is_no_way_to_the_metadata_server(confined: Run) -> None:
    code = "import socket; socket.create_connection(('169.254.169.254', 80), 5)"
    ended = confined(code)
    assert ended.code == 1
    assert "Network is unreachable" in ended.err


def test_there_is_no_name_service(confined: Run) -> None:
    ended = confined("import socket; socket.getaddrinfo('pulumi.com', 443)")
    assert ended.code == 1
    assert "gaierror" in ended.err


def test_the_program_sees_nothing_but_what_it_needs(planted: Planted, confined: Run) -> None:
    code = "import os, sys; print([name for name in os.listdir('/')], os.listdir(sys.argv[1]))"
    ended = confined(code, str(planted.folder))
    for hidden in ("var", "sys", "boot", "srv", "mnt", "run"):
        assert f"'{hidden}'" not in ended.out
    assert "'head'" in ended.out
    assert "'home'" not in ended.out


def test_the_settings_of_the_kernel_cannot_be_written(confined: Run) -> None:
    """Where root runs a what-if, the files below /proc/sys would belong to the program."""
    ended = confined("open('/proc/sys/kernel/core_pattern', 'r+')")
    assert "Read-only file system" in ended.err or "Permission denied" in ended.err


def test_a_program_that_does_not_end_is_ended(confined: Run) -> None:
    code = (
        "import os, signal\n"
        "if os.fork() == 0: os.setsid()\n"
        "[signal.signal(each, signal.SIG_IGN) for each in (1, 2, 15)]\n"
        "os.close(1); os.close(2)\n"
        "while True: signal.pause()"
    )
    ended = confined(code, seconds=1.5)
    assert ended.code == confine.ENDED
    assert "ended after 1.5 s" in ended.err


def test_a_program_ends_with_those_who_wanted_it(planted: Planted) -> None:
    with confine.start(
        [sys.executable, "-c", "import signal; print(flush=True); signal.pause()", planted.targets["mark"]],
        folder=planted.head,
        readable=(Path(sys.prefix), planted.head),
        environment=confine.environment({}),
        seconds=60,
        out=subprocess.PIPE,
    ) as running:
        assert running.stdout is not None
        assert running.stdin is not None
        running.stdout.readline()
        assert _left(planted.targets["mark"])
        # What the end of this process would do.
        running.stdin.close()
        assert running.wait() == confine.ENDED
    assert _left(planted.targets["mark"]) == []


def test_a_program_cannot_fill_the_machine_with_processes(confined: Run) -> None:
    code = (
        "import os, signal\n"
        "count = 0\n"
        "try:\n"
        "    while count < 1500:\n"
        "        if os.fork() == 0: signal.pause()\n"
        "        count += 1\n"
        "except OSError as error: print(error)\n"
        "print(count)"
    )
    ended = confined(code)
    assert ended.code == 0
    assert "temporarily unavailable" in ended.out
    assert int(ended.out.split()[-1]) <= 1024


def test_a_program_cannot_fill_the_disk(confined: Run) -> None:
    code = (
        "count = 0\n"
        "try:\n"
        "    for at in range(8):\n"
        "        with open(f'/tmp/{at}', 'wb') as file: count += file.write(bytes(60 * 1024 ** 2))\n"
        "except OSError as error: print(error)\n"
        "print(count // 1024 ** 2)"
    )
    ended = confined(code)
    assert "No space left" in ended.out
    assert int(ended.out.split()[-1]) <= 256


def test_a_program_cannot_write_a_file_of_any_size(confined: Run) -> None:
    ended = confined("open('/tmp/large', 'wb').write(bytes(100 * 1024 ** 2))")
    assert "File too large" in ended.err


def test_a_program_cannot_talk_without_end(confined: Run) -> None:
    ended = confined("for _ in range(20): print('x' * 1024 ** 2)")
    assert ended.code == 0
    assert len(ended.out) == 4 * 1024**2
    assert "more than 4 MiB" in ended.err


def test_the_exit_code_is_the_program_s(confined: Run) -> None:
    assert confined("raise SystemExit(7)").code == 7
    assert confined("import os; os.kill(os.getpid(), 9)").code == 137


def test_nothing_runs_where_the_cell_cannot_be_made(planted: Planted) -> None:
    with confine.start(
        [sys.executable, "-c", "print('ran')"],
        folder=planted.folder / "home",
        readable=(Path(sys.prefix),),
        environment=confine.environment({}),
        seconds=60,
        out=subprocess.PIPE,
    ) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        assert running.stdout.read() == b""
        assert b"No such file or directory" in running.stderr.read()
        assert running.wait() == confine.NOT_MADE


def test_the_git_folder_of_a_worktree_is_hidden_too(planted: Planted, tmp_path: Path) -> None:
    (tmp_path / ".git").write_text("gitdir: /somewhere/with/a/token")
    with confine.start(
        [sys.executable, "-c", "print(repr(open('.git').read()))"],
        folder=tmp_path,
        readable=(Path(sys.prefix), tmp_path),
        hidden=(tmp_path / ".git",),
        environment=confine.environment({}),
        seconds=60,
        out=subprocess.PIPE,
    ) as running:
        assert running.stdout is not None
        assert running.stdout.read() == b"''\n"


def test_a_home_folder_is_never_shown(monkeypatch: pytest.MonkeyPatch, planted: Planted) -> None:
    monkeypatch.setenv("HOME", str(planted.home))
    for folder in (planted.home, planted.folder, Path("/")):
        with pytest.raises(confine.CannotConfine, match="home folder"):
            confine.start(
                [sys.executable], folder=planted.head, readable=(folder,), environment={}, seconds=1
            )


def test_without_network_there_is_loopback_alone_and_cells_still_work(planted: Planted) -> None:
    code = (
        "import json, socket, sys\n"
        f"sys.path.insert(0, {str(ATTACKS.parents[3])!r})\n"
        "from plugins import confine\n"
        "own = socket.create_server(('127.0.0.1', 0))\n"
        "socket.create_connection(own.getsockname()).close()\n"
        "def way(address):\n"
        "    try: socket.create_connection(address, 5).close()\n"
        "    except OSError as error: return error.strerror\n"
        "print(json.dumps([way(('127.0.0.1', int(sys.argv[1]))), way(('169.254.169.254', 80)), confine.possible()]))"
    )
    command = [sys.executable, "-B", "-c", code, str(planted.targets["port"])]
    done = subprocess.run(
        confine.without_network(command), capture_output=True, text=True, stdin=subprocess.DEVNULL
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == ["Connection refused", "Network is unreachable", None]


def test_a_system_that_forbids_namespaces_says_why(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    setting = tmp_path / "max_user_namespaces"
    setting.write_text("0\n")
    (tmp_path / "cell.py").write_text(
        "import sys; sys.stderr.write('cell: unshare: No space left'); sys.exit(125)"
    )
    monkeypatch.setattr(confine, "_ASKED", ((str(setting), "0"),))
    monkeypatch.setattr(confine, "_CELL", tmp_path / "cell.py")
    reason = confine.possible.__wrapped__()
    assert reason is not None
    assert "exit code 125: cell: unshare: No space left" in reason
    assert "max_user_namespaces is 0: the system keeps user namespaces" in reason


def test_what_an_answer_says() -> None:
    assert "without network" in confine.sentence(60)
    assert confine.sentence(60, "it is a test") == "not confined, since it is a test"
