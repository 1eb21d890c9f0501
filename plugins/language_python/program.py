"""Run one Pulumi program: the child process of the language host.

Owns what the SDK expects around a program (settings, executor, event loop, exit codes). It runs in the
program's environment and imports nothing of this project, so that the program finds the same `sys.path` as
under the official host.

    program.py JSON                       run the program that the document describes
    program.py --ready DESCRIPTOR FILE    import the modules that FILE names, then wait at the socket DESCRIPTOR,
                                          which listens already, for one program to run (ready.py)

Either way the program finds the same. What an import ahead of time could make different, and what is done about it:

- The SDK reads two variables while it is imported. TRACEPARENT begins the tracing; PULUMI_ENABLE_LEGACY_APPLY goes
  into settings that `configure` replaces, by when the program's own environment is there. The provider SDKs read
  theirs when a resource is made. Other packages may read any, so ready.py compares the two environments.
- A module that says something while it is imported, or changes the environment, would do so too early: then this
  process ends and the program is started afresh.
- The program's folder comes first in `sys.path` once it runs, so a module of its own may stand before a package's or
  the standard library's: ready.py compares the names.
- What a module remembers of the current folder or of the command line is that of the waiting process, and a program
  that puts further folders in front of `sys.path` does not find there what is imported already. Neither is seen to.
"""

import asyncio
import atexit
import contextlib
import importlib
import json
import logging
import os
import runpy
import select
import signal
import socket
import sys
import threading
import traceback
import types
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

# The folder of this script would come before the program's own modules.
_HERE = str(Path(__file__).resolve().parent)
sys.path[:] = [entry for entry in sys.path if Path(entry or ".").resolve() != Path(_HERE)]


def _held_back() -> tuple[int, dict[str, str]]:
    """Keep what is said from now on; returns where it can be read, and the environment before any import of a
    package."""
    reading, writing = os.pipe()
    # Whoever says more than a pipe holds gets an error, not an endless wait.
    os.set_blocking(writing, False)
    os.dup2(writing, 1)
    os.dup2(writing, 2)
    os.close(writing)
    return reading, dict(os.environ)


_IS_READY = sys.argv[1:2] == ["--ready"]
_SAID, _ENVIRONMENT = _held_back() if _IS_READY else (-1, {})

import pulumi  # noqa: E402
import pulumi.runtime  # noqa: E402

_SHOWN = 32


def _users_part() -> str:
    """The traceback from the first frame of the program on."""
    kind, error, trace = sys.exc_info()
    inside = (pulumi.__path__[0], runpy.__file__, __file__, "<frozen runpy>", asyncio.__path__[0])
    frames = traceback.extract_tb(trace)
    first = next((at for at, frame in enumerate(frames) if not frame.filename.startswith(inside)), 0)
    text = traceback.format_list(frames[first:])
    return "".join(
        ["Traceback (most recent call last):\n", *text, *traceback.format_exception_only(kind, error)]
    )


class _Waiting:
    """asyncio for the SDK's last wait: until nothing is left or something fails, not until the next thing is done.

    The SDK asks again for everything that is left whenever one output is done, which for thousands of them takes
    longer than the work itself. What it waits for, and that it stops at the first failure, stays the same.
    """

    FIRST_COMPLETED = asyncio.FIRST_EXCEPTION

    def __getattr__(self, name: str) -> Any:
        return getattr(asyncio, name)


def _hurry() -> None:
    """Leave out what nobody sees on paper: the SDK's debug messages, a call to the engine each; the place in the
    source that each resource comes from; and waiting in thousands of rounds. An SDK without these names is left as it
    is."""
    registering: Any = sys.modules.get("pulumi.runtime.resource")
    nowhere = getattr(getattr(registering, "source_pb2", None), "StackTrace", None)
    if nowhere is not None and hasattr(registering, "_get_stack_trace"):
        registering._get_stack_trace = lambda: nowhere()
    if hasattr(pulumi.log, "debug"):
        pulumi.log.debug = lambda *said, **more: None
    waiting: Any = sys.modules.get("pulumi.runtime.stack")
    if getattr(waiting, "asyncio", None) is asyncio:
        waiting.asyncio = _Waiting()


def _leave(code: int) -> None:
    """End the process with what was asked to be done at its end, and without letting go of each object, which for a
    large program takes longer than making them."""
    if all(each.daemon or each is threading.main_thread() for each in threading.enumerate()):
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _is_lazy(module: types.ModuleType) -> bool:
    """Whether its code has not run yet. The standard library and the SDK have a class of this name each, whose modules
    are loaded by the first look at an attribute."""
    return type(module).__name__ == "_LazyModule"


class _Order:
    """A finder that finds nothing and notes what is looked for, in which order.

    `sys.modules` has the order in which modules were done. Where modules import each other, another one than before
    would then begin, and see less of the rest.
    """

    def __init__(self) -> None:
        self.names = dict.fromkeys(sys.modules)

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> None:
        self.names.setdefault(name)

    def tell(self, path: Path) -> None:
        """Write which modules of installed packages are loaded to the file `path`: first those that every program has,
        then the rest as they were asked for."""
        made = path.with_name(f"{path.name}.{os.getpid()}")
        # It makes a later run faster and is needed for nothing.
        with contextlib.suppress(OSError):
            made.write_text("".join(f"{name}\n" for name in _loaded(self.names)))
            made.replace(path)


def _loaded(names: Iterable[str]) -> list[str]:
    """Those of `names` that are modules of installed packages whose code has run."""
    # Nothing else loads it, so it comes once the program's own code has run.
    import sysconfig

    packages = tuple(sysconfig.get_path(name) + os.sep for name in ("purelib", "platlib"))
    found = []
    for name in names:
        module = sys.modules.get(name)
        if isinstance(module, types.ModuleType) and not _is_lazy(module):
            file = vars(module).get("__file__")
            if isinstance(file, str) and file.startswith(packages):
                found.append(name)
    return found


def _import(names: list[str]) -> None:
    for name in names:
        try:
            module = importlib.import_module(name)
            if _is_lazy(module):
                getattr(module, "__all__", None)
        except BaseException:  # noqa: BLE001, S112 - the program will see for itself, where it needs the module
            continue


def _job(listener: socket.socket, names: list[str]) -> tuple[dict[str, Any], socket.socket]:
    """Import `names`, wait for the one program to run, and make this process look as if it had been started for it.

    Returns what describes the program, and where its exit code goes. Raises SystemExit where there is nothing to run:
    the wrapper, which holds the other end of the standard input, has ended; the host does not want this process; or
    an import did what belongs into the run.
    """
    known = set(sys.modules)
    _import(names)
    if select.select([_SAID], [], [], 0)[0] or dict(os.environ) != _ENVIRONMENT:
        raise SystemExit
    _wait_for(listener)
    connection, _ = listener.accept()
    listener.close()
    tops = {name.partition(".")[0] for name in set(sys.modules) - known} - known
    about = {
        "pid": os.getpid(),
        "python": sys.executable,
        "environment": _ENVIRONMENT,
        "names": sorted(tops),
    }
    try:
        connection.sendall(json.dumps(about).encode() + b"\n")
        _wait_for(connection)
        text, descriptors, *_ = socket.recv_fds(connection, 1 << 16, 2)
        while not text.endswith(b"\n"):
            more = connection.recv(1 << 16)
            if not more:
                raise SystemExit
            text += more
    except OSError:
        raise SystemExit from None
    job = json.loads(text)
    os.environ.clear()
    os.environ.update(job["environment"])
    os.chdir(job["folder"])
    for at, descriptor in enumerate((os.open(os.devnull, os.O_RDWR), *descriptors)):
        os.dup2(descriptor, at)
        os.close(descriptor)
    os.close(_SAID)
    # The host waits for the end of this process, not of those that the program leaves behind.
    os.register_at_fork(after_in_child=connection.close)
    return job["described"], connection


def _wait_for(connection: socket.socket) -> None:
    stdin, own = 0, connection.fileno()
    if stdin in select.select([stdin, own], [], [])[0]:
        raise SystemExit


def _exit_code(error: SystemExit) -> int:
    """What the interpreter makes of it."""
    if error.code is None:
        return 0
    return error.code & 0xFF if isinstance(error.code, int) else 1


def _task() -> tuple[dict[str, Any], Callable[[int], None]]:
    """What describes the program, and how the host gets its exit code where it cannot see it."""
    if not _IS_READY:
        return json.loads(sys.argv[1]), lambda code: None
    names = Path(sys.argv[3]).read_text().split()
    settings, connection = _job(socket.socket(fileno=int(sys.argv[2])), names)

    def tell(code: int) -> None:
        with contextlib.suppress(OSError):
            connection.sendall(b"%d\n" % code)

    return settings, tell


def main() -> int:
    """Run the program that the first argument (JSON, from the host) describes, or the one that comes to a process that
    is ready; returns the exit code."""
    settings, tell = _task()
    # The host takes it for true once the process has ended.
    code = 1
    try:
        code = _run(settings)
    except SystemExit as error:
        code = _exit_code(error)
        raise
    except KeyboardInterrupt:
        code = -signal.SIGINT
        raise
    finally:
        tell(code)
    if settings.get("on_paper"):
        _leave(code)
    return code


def _run(settings: dict[str, Any]) -> int:
    order = _Order()
    if settings.get("loaded"):
        sys.meta_path.insert(0, order)
    if settings.get("on_paper"):
        _hurry()
    pulumi.runtime.set_all_config(
        pulumi.runtime.get_config_env(), pulumi.runtime.get_config_secret_keys_env()
    )
    parallel = int(settings["parallel"])
    pulumi.runtime.configure(
        pulumi.runtime.Settings(
            project=settings["project"],
            stack=settings["stack"],
            organization=settings["organization"],
            monitor=settings["monitor"],
            engine=settings["engine"],
            parallel=parallel,
            dry_run=settings["dry_run"],
            root_directory=settings["root_directory"],
        )
    )
    program = settings["program"]
    sys.argv = [program, *settings["arguments"]]
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    executor = ThreadPoolExecutor(max_workers=max(parallel, 1) * 4)
    loop.set_default_executor(executor)
    # What a failed program leaves unawaited is no news to anyone.
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)

    def run() -> None:
        if Path(program).is_dir() and not (Path(program) / "__main__.py").exists():
            pulumi.log.error(
                f"unable to find main python program `__main__.py` in `{Path(program).resolve()}`"
            )
            raise SystemExit(_SHOWN)
        runpy.run_path(program, run_name="__main__")
        if settings.get("loaded"):
            sys.meta_path.remove(order)
            order.tell(Path(settings["loaded"]))

    try:
        loop.run_until_complete(pulumi.runtime.run_in_stack(run))
    except pulumi.RunError as error:
        pulumi.log.error(str(error))
        return 1
    except Exception:  # noqa: BLE001 - whatever a program raises is shown, and ends the run
        pulumi.log.error(f"Program failed with an unhandled exception:\n{_users_part()}")
        return _SHOWN
    finally:
        executor.shutdown(wait=True)
        loop.close()
        sys.stdout.flush()
        sys.stderr.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
