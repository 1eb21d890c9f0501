"""Run one Pulumi program: the child process of the language host.

Owns what the SDK expects around a program (settings, executor, event loop, exit codes). It runs in the
program's environment and imports nothing of this project, so that the program finds the same `sys.path` as
under the official host.
"""

import asyncio
import json
import logging
import runpy
import sys
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

# The folder of this script would come before the program's own modules.
_HERE = str(Path(__file__).resolve().parent)
sys.path[:] = [entry for entry in sys.path if Path(entry or ".").resolve() != Path(_HERE)]

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


def main() -> int:
    """Run the program that the first argument (JSON, from the host) describes; returns the exit code."""
    settings = json.loads(sys.argv[1])
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
