"""A program in a process that was ready for it, by the real CLI on paper: nothing differs from a fresh start.

Does not prove that it is faster, nor anything about packages that none of these programs uses.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import select
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from plugins import confine
from plugins.language_python import settings
from plugins.language_python.ready import Ready, Running, hand_over, start
from tests.plugins.conftest import Program, Result, kubeconfig

SECONDS = 60.0
MODULES = ("yaml", "pulumi_gcp", "pulumi_kubernetes", "pulumi_kubernetes.core.v1")
Starter = Callable[..., Ready]

MARK = """\
import sys
from pathlib import Path
Path("mark").write_text(json.dumps({
    "ready": "--ready" in sys.orig_argv, "pid": os.getpid(), "argv": sys.argv,
    "modules": [name for name, module in sys.modules.items() if type(module).__name__ != "_LazyModule"],
}))
"""
RESOURCES = """\
import atexit, pulumi_gcp as gcp, pulumi_kubernetes as k8s
settings = pulumi.Config()
account = gcp.serviceaccount.Account("a", project="acme-prod", account_id="robot-1",
                                     description=settings.require("step"))
provider = k8s.Provider("p", kubeconfig=settings.require("document"))
secret = k8s.core.v1.Secret("s", metadata={"name": "s"}, string_data={"t": settings.require_secret("token")},
                            opts=Options(provider=provider, parent=account))
account.email.apply(lambda email: print("email", email))
print("to stdout", pulumi.get_stack(), sys.argv, sys.stdin.read(), sys.stdout.seekable(), os.getcwd())
print("to stderr", sorted(name for name in os.environ if not name.startswith("PULUMI_DEBUG_")), file=sys.stderr)
pulumi.log.warn("a warning")
pulumi.log.info("of a resource", account)
pulumi.export("token", settings.require_secret("token"))
pulumi.export("enabled", settings.get_bool("enabled"))
atexit.register(print, "last words")
"""
PROGRAMS = {
    "resources": RESOURCES,
    "raises": "print('before')\n{}['what is missing']\n",
    "run error": "raise pulumi.RunError('the ring is not declared')\n",
    "fails later": "pulumi.Output.from_input(1).apply(lambda _: 1 / 0)\n",
    "exit 3": "print('before')\nsys.exit(3)\n",
    "exit 0": "sys.exit()\n",
    "exit 256": "sys.exit(256)\n",
    "exit with words": "sys.exit('no more')\n",
    "interrupt": "raise KeyboardInterrupt\n",
    "no such module": "import no_such_module\n",
}


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder whose path is short enough for a socket."""
    with tempfile.TemporaryDirectory(prefix="fleet-") as made:
        yield Path(made).resolve()


@pytest.fixture
def ready(folder: Path, program: Program) -> Iterator[Starter]:
    """Start a process for the program."""
    started: list[Ready] = []

    def made(modules: Sequence[str] = MODULES, python: str = sys.executable, **variables: str) -> Ready:
        found = start(Path(python), modules, folder, {**program.environment, **variables})
        assert found is not None
        started.append(found)
        return found

    yield made
    for each in started:
        each.end()
    assert list(folder.iterdir()) == []


def mark(program: Program) -> dict[str, Any]:
    """What the last run said of its process."""
    found: dict[str, Any] = json.loads((program.folder / "mark").read_text())
    return found


def until(true: Callable[[], bool]) -> None:
    """Wait until it is so."""
    deadline = time.monotonic() + SECONDS
    while not true():
        assert time.monotonic() < deadline
        select.select([], [], [], 0.05)


def run(program: Program, *arguments: str, **variables: str) -> Result:
    """Run the CLI, a preview by itself."""
    (program.folder / "mark").unlink(missing_ok=True)
    return program.finish(program.begin(*(arguments or ("preview",)), **variables))


@pytest.fixture
def stack(program: Program) -> Program:
    """The program with a stack that has configuration, a secret among it."""
    (program.folder / "Pulumi.yaml").write_text("name: program\nruntime: python\n")
    values = {"step": "1", "document": kubeconfig(), "enabled": "true"}
    settings_of = [("config", "set", name, value, "--plaintext") for name, value in values.items()]
    for words in (
        ("stack", "init"),
        *settings_of,
        ("config", "set", "token", "what nobody may read", "--secret"),
    ):
        command = [str(program.cli), *words, "--stack", "dev", "--non-interactive"]
        subprocess.run(command, cwd=program.folder, env=program.environment, check=True, capture_output=True)
    program.made = True
    return program


def seen(result: Result, program: Program) -> dict[str, Any]:
    """What a run comes to: the exit code, every line, every resource."""
    found = [event["resourcePreEvent"]["metadata"] for event in result.events if "resourcePreEvent" in event]
    lines = [event["diagnosticEvent"] for event in result.events if "diagnosticEvent" in event]
    kept = ("message", "severity", "urn", "prefix")
    return {
        "code": result.code,
        "lines": sorted(json.dumps({name: each.get(name) for name in kept}) for each in lines),
        "text": sorted(line for line in result.text.splitlines() if "Duration" not in line),
        "resources": sorted(json.dumps([each["urn"], each["op"], each.get("new")]) for each in found),
    }


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_run_is_the_same(name: str, stack: Program, ready: Starter) -> None:
    stack.write(MARK + PROGRAMS[name])
    fresh = run(stack)
    assert not mark(stack)["ready"]
    variables = ready().variables
    other = run(stack, **variables)
    assert mark(stack)["ready"]
    assert mark(stack)["argv"] == ["."]
    assert seen(other, stack) == seen(fresh, stack)
    if name == "resources":
        assert fresh.code == 0, fresh.text
        for words in ("to stdout dev ['.']  False", "to stderr", "a warning", "of a resource", "last words"):
            assert words in fresh.text
        assert len(fresh.ops) == 4
        assert "what nobody may read" not in other.text
    else:
        assert (fresh.code == 0) == (name in ("exit 0", "exit 256")), fresh.text


def test_an_update_has_the_same_result_and_the_second_run_is_a_fresh_one(
    stack: Program, ready: Starter
) -> None:
    """`up` runs the program twice, and a process is there for one program."""
    stack.write(MARK + "Path('runs').open('a').write(f\"{'--ready' in sys.orig_argv}\\n\")\n" + RESOURCES)
    result = run(stack, "up", "--yes", **ready().variables)
    assert result.code == 0, result.text
    assert (stack.folder / "runs").read_text().split() == ["True", "False"]
    assert stack.state()["s"]["inputs"]["stringData"]["4dabf18193072939515e22adb298388d"]


def test_modules_are_there_before_the_run_and_what_cannot_be_imported_is_passed_by(
    stack: Program, ready: Starter, tmp_path: Path
) -> None:
    own = tmp_path / "own"
    own.mkdir()
    (own / "that_leaves.py").write_text("raise SystemExit(3)\n")
    (own / "that_fails.py").write_text("import csv, graphlib\n1 / 0\n")
    (own / "that_works.py").write_text("")
    stack.write(MARK)
    names = ["no_such_module", "yaml.no_such_module", "that_leaves", "that_fails", "that_works"]
    path = {"PYTHONPATH": str(own)}
    result = run(stack, **ready(names, **path).variables, **path)
    assert result.code == 0, result.text
    assert mark(stack)["ready"]
    loaded = mark(stack)["modules"]
    assert "that_works" in loaded
    assert not {"that_fails", "that_leaves", "no_such_module"} & set(loaded)


@pytest.mark.parametrize(
    "source",
    [
        "print('said at import')",
        "import warnings; warnings.warn('said at import')",
        "import os; os.write(2, b'said at import\\n')",
        "import os; os.environ['SET_AT_IMPORT'] = '1'",
    ],
)
def test_what_speaks_while_it_is_imported_is_imported_in_the_run(
    source: str, stack: Program, ready: Starter, tmp_path: Path
) -> None:
    own = tmp_path / "own"
    own.mkdir()
    (own / "that_speaks.py").write_text(source + "\n")
    stack.write(MARK + "import that_speaks\nprint('variable', os.environ.get('SET_AT_IMPORT'))\n")
    path = {"PYTHONPATH": str(own)}
    result = run(stack, **ready(["that_speaks"], **path).variables, **path)
    assert result.code == 0, result.text
    assert not mark(stack)["ready"]
    assert "said at import" in result.text or "variable 1" in result.text


def test_a_module_of_the_program_s_own_is_not_taken_for_another(stack: Program, ready: Starter) -> None:
    """`mailbox` is the standard library's, as any package may load it."""
    stack.write(MARK + "import mailbox\nprint('it is', mailbox.WHOSE)\n")
    (stack.folder / "mailbox.py").write_text("WHOSE = 'the program\\'s own'\n")
    result = run(stack, **ready(["mailbox"]).variables)
    assert result.code == 0, result.text
    assert "it is the program's own" in result.text
    assert not mark(stack)["ready"]


@pytest.fixture
def other(tmp_path: Path) -> Path:
    """A virtual environment of its own, with the packages of this one."""
    made = tmp_path / "other"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(made)], check=True)
    (packages,) = settings.packages_of(made / "bin/python")
    own = next(entry for entry in sys.path if entry.endswith("site-packages"))
    (packages / "rest.pth").write_text(own + "\n")
    return made


def test_a_program_in_another_environment_does_not_get_it(
    stack: Program, ready: Starter, other: Path
) -> None:
    stack.write(MARK + "print('it runs in', sys.prefix)\n")
    named = {settings.PYTHON: str(other / "bin" / "python")}
    result = run(stack, **ready().variables, **named)
    assert f"it runs in {other}" in result.text, result.text
    assert not mark(stack)["ready"]
    result = run(stack, **ready(python=named[settings.PYTHON]).variables, **named)
    assert f"it runs in {other}" in result.text, result.text
    assert mark(stack)["ready"]


def test_nobody_at_the_socket_is_a_fresh_start(stack: Program, folder: Path) -> None:
    stack.write(MARK)
    left = folder / "left"
    with socket.socket(socket.AF_UNIX) as gone:
        gone.bind(str(left))
    for path in (left, folder / "never"):
        result = run(stack, **{settings.READY: str(path)})
        assert result.code == 0, result.text
        assert not mark(stack)["ready"]
    left.unlink()


def test_an_interrupt_ends_the_program(stack: Program, ready: Starter) -> None:
    stack.write(MARK + "import signal\nPath('waits').touch()\nsignal.pause()\n")
    found = ready()
    running = stack.begin("preview", **found.variables)
    until((stack.folder / "waits").exists)
    assert mark(stack)["ready"]
    assert is_alive(mark(stack)["pid"])
    with socket.socket(socket.AF_UNIX) as second, pytest.raises(ConnectionRefusedError):
        second.connect(found.variables[settings.READY])
    running.send_signal(signal.SIGINT)
    assert stack.finish(running).code != 0
    until(lambda: not is_alive(mark(stack)["pid"]))


def test_what_a_program_leaves_behind_is_not_waited_for_and_ends_with_it(
    stack: Program, ready: Starter
) -> None:
    stack.write(
        MARK + "import fcntl, time\nlock = open('lock', 'w')\nfcntl.flock(lock, fcntl.LOCK_EX)\n"
        "if os.fork() == 0:\n    os.close(1); os.close(2); time.sleep(60); os._exit(7)\n"
    )
    found = ready(["yaml"])
    result = run(stack, **found.variables)
    assert result.code == 0, result.text
    assert mark(stack)["ready"]
    with (stack.folder / "lock").open() as lock:

        def is_free() -> bool:
            with contextlib.suppress(BlockingIOError):
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return True
            return False

        assert not is_free()
        found.end()
        until(is_free)


def is_alive(pid: int) -> bool:
    """Whether the child `pid` of this process has not ended yet."""
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None


@pytest.mark.parametrize("has_a_host", [False, True])
def test_it_ends_with_the_wrapper(folder: Path, *, has_a_host: bool) -> None:
    """Before it has a job."""
    wrapper = (
        "import os, sys; from pathlib import Path; from plugins.language_python import ready\n"
        "found = ready.start(Path(sys.executable), ['yaml'], Path(sys.argv[1]), os.environ)\n"
        "print(*found.variables.values(), flush=True); sys.stdin.read(); os._exit(0)"
    )
    with socket.socket(socket.AF_UNIX) as host:
        host.settimeout(SECONDS)
        with subprocess.Popen(
            [sys.executable, "-c", wrapper, str(folder)],
            cwd=Path(__file__).resolve().parents[2],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        ) as running:
            assert running.stdout is not None
            path = running.stdout.readline().decode().strip()
            if has_a_host:
                host.connect(path)
                assert json.loads(host.makefile().readline())["python"] == sys.executable
            running.kill()
        said = b""
        with contextlib.suppress(ConnectionError):
            if not has_a_host:
                host.connect(path)
            said = host.recv(1000)
        assert said == b""


def handed(found: Ready, folder: Path, environment: Mapping[str, str], python: str = sys.executable) -> bool:
    """Whether the process takes a program. The monitor is nowhere, so the program itself fails."""
    described: dict[str, Any] = {
        "project": "p",
        "stack": "s",
        "organization": "o",
        "monitor": "127.0.0.1:1",
        "engine": None,
    }
    described |= {"parallel": 1, "dry_run": True, "root_directory": "", "program": ".", "arguments": []}
    nowhere = os.open(os.devnull, os.O_RDWR)
    try:
        running = hand_over(
            Path(found.variables[settings.READY]), described, folder, environment,
            python=Path(python), out=nowhere, err=nowhere,
        )  # fmt: skip
    finally:
        os.close(nowhere)
    if running is None:
        return False
    assert running.wait(SECONDS) == running.poll() != 0
    return True


@pytest.mark.parametrize(
    ("variable", "is_taken"),
    [
        ("PULUMI_CONFIG", True),
        ("GOOGLE_PROJECT", True),
        ("PWD", True),
        ("TZ", False),
        ("TRACEPARENT", False),
        ("PYTHONHASHSEED", False),
    ],
)
def test_an_environment_that_an_import_may_have_read_is_the_same(
    variable: str, program: Program, ready: Starter, *, is_taken: bool
) -> None:
    other = {**program.environment, variable: "1"}
    assert handed(ready(["yaml"]), program.folder, other) is is_taken
    assert handed(ready(["yaml"], **{variable: "2"}), program.folder, other) is is_taken
    if not is_taken:
        assert handed(ready(["yaml"], **{variable: "1"}), program.folder, other)


def test_it_is_private_and_leaves_nothing(program: Program, folder: Path, ready: Starter) -> None:
    found = ready(["yaml"])
    path = Path(found.variables[settings.READY])
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    found.end()
    assert list(folder.iterdir()) == []
    assert not handed(found, program.folder, program.environment)


def test_a_folder_that_is_not_there_starts_nothing(program: Program, ready: Starter, tmp_path: Path) -> None:
    assert not handed(ready(["yaml"]), tmp_path / "gone", program.environment)


def test_there_is_none_where_it_cannot_be(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deep = folder / ("d" * 100)
    deep.mkdir()
    assert start(Path(sys.executable), [], deep, os.environ) is None
    assert list(deep.iterdir()) == []
    deep.rmdir()
    assert start(folder / "no-python", [], folder, os.environ) is None
    monkeypatch.delattr(socket, "send_fds")
    assert start(Path(sys.executable), [], folder, os.environ) is None
    assert list(folder.iterdir()) == []


def test_whoever_does_not_answer_is_not_waited_for(
    folder: Path, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("plugins.language_python.ready._ANSWER_SECONDS", 0.3)
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(folder / "silent"))
        silent.listen()
        found = hand_over(
            folder / "silent", {"program": "."}, program.folder, {}, python=Path(sys.executable)
        )
        assert found is None
    (folder / "silent").unlink()


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("own.send(b'3\\n')", 3),
        ("own.send(b'0\\n')", 0),
        ("pass", -signal.SIGKILL),
        ("own.send(b'0\\n'); signal.pause()", None),
        ("signal.pause()", None),
    ],
)
def test_the_end_of_a_process_is_told_as_by_popen(source: str, code: int | None) -> None:
    mine, its = socket.socketpair()
    command = [
        sys.executable,
        "-c",
        f"import signal, socket; own = socket.socket(fileno={its.fileno()}); {source}",
    ]
    with subprocess.Popen(command, pass_fds=[its.fileno()]) as child:
        its.close()
        running = Running(child.pid, mine)
        if code is None:
            with pytest.raises(subprocess.TimeoutExpired):
                running.wait(0.5)
            assert running.poll() is None
            running.terminate()
            code = 0 if "send" in source else -signal.SIGTERM
        assert running.wait(SECONDS) == code
        assert running.poll() == code
    running.kill()


def test_a_run_tells_what_it_loaded(stack: Program, ready: Starter, tmp_path: Path) -> None:
    (stack.folder / "its_own.py").write_text("")
    stack.write(
        MARK + "import yaml, its_own, mailbox, pulumi_gcp as gcp, pulumi_kubernetes.core.v1\n"
        "gcp.serviceaccount.Account\npulumi.Output.from_input(1).apply(lambda _: __import__('pydantic'))\n"
    )
    told = tmp_path / "loaded"
    result = run(stack, **{settings.LOADED: str(told)})
    assert result.code == 0, result.text
    names = told.read_text().splitlines()
    assert {"pulumi", "pulumi.output", "yaml", "pulumi_gcp.serviceaccount"} <= set(names)
    assert not {"its_own", "mailbox", "json", "sys", "__main__", "pulumi_gcp.compute"} & set(names)
    assert names.index("pulumi_gcp") < names.index("pulumi_gcp.serviceaccount")
    assert names.index("pulumi_gcp.serviceaccount") < names.index("pulumi_gcp.serviceaccount.account")
    assert list(tmp_path.glob("loaded*")) == [told]
    # And so the next one has them all, and nothing more.
    other = tmp_path / "other"
    result = run(stack, **ready(names).variables, **{settings.LOADED: str(other)})
    assert result.code == 0, result.text
    assert set(names) <= set(mark(stack)["modules"])
    assert sorted(other.read_text().splitlines()) == sorted(names)
    # One that the SDK would load at the first use alone.
    lazy = ["pulumi_gcp", "pulumi_gcp.serviceaccount"]
    run(stack, **ready(lazy).variables)
    assert set(lazy) <= set(mark(stack)["modules"])


def test_modules_that_import_each_other_see_what_they_saw(
    stack: Program, ready: Starter, other: Path, tmp_path: Path
) -> None:
    """The one that is done last was there first."""
    (packages,) = settings.packages_of(other / "bin/python")
    (packages / "outer.py").write_text("X = 1\nfrom inner import *\n")
    (packages / "inner.py").write_text("from outer import X\nY = 2\n")
    stack.write(MARK + "import outer\nprint('outer has', sorted({'X', 'Y'} & set(vars(outer))))\n")
    told, python = tmp_path / "loaded", str(other / "bin/python")
    result = run(stack, **{settings.PYTHON: python, settings.LOADED: str(told)})
    assert "outer has ['X', 'Y']" in result.text
    names = told.read_text().split()
    assert names == ["outer", "inner"]
    result = run(stack, **{settings.PYTHON: python}, **ready(names, python).variables)
    assert mark(stack)["ready"]
    assert "outer has ['X', 'Y']" in result.text


def test_a_list_that_cannot_be_written_disturbs_nothing(stack: Program, tmp_path: Path) -> None:
    stack.write(MARK)
    result = run(stack, **{settings.LOADED: str(tmp_path / "missing" / "loaded")})
    assert result.code == 0, result.text
    assert "loaded" not in result.text


def test_a_confined_program_never_gets_it(stack: Program, ready: Starter, tmp_path: Path) -> None:
    reason = confine.possible()
    assert reason is None, f"this test needs a system that can confine a program: {reason}"
    stack.write("pulumi.export('ready', '--ready' in __import__('sys').orig_argv)\n")
    found, told = ready(["yaml"]), tmp_path / "loaded"
    result = run(
        stack,
        **found.variables,
        **{settings.CONFINED: "1", settings.FOLDER: str(stack.folder), settings.LOADED: str(told)},
    )
    assert result.code == 0, result.text
    assert "ready: false" in result.text
    assert not told.exists()
    assert handed(found, stack.folder, stack.environment), "it was asked, and is gone"


def test_paths_in_the_settings_are_absolute(tmp_path: Path) -> None:
    found = settings.read({settings.READY: str(tmp_path / "r"), settings.LOADED: str(tmp_path / "l")})
    assert (found.ready, found.loaded) == (tmp_path / "r", tmp_path / "l")
    found = settings.read({settings.READY: "", settings.PYTHON: ""})
    assert (found.ready, found.loaded) == (None, None)
    with pytest.raises(
        settings.WrongSettings, match=r"READY=r is no absolute path; .*LOADED=l is no absolute path"
    ):
        settings.read({settings.READY: "r", settings.LOADED: "l"})
