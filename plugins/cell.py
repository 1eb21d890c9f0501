"""The cell of a confined program: run as `python -I -S -B cell.py cell` or `... cell.py quiet COMMAND...`.

`cell` reads one line of JSON from standard input (confine.py writes it), makes new namespaces with a file
tree that holds what is named and nothing else, runs the command in it, and ends with the command's exit code.
It ends the command, and whatever the command has started, at its time limit and as soon as standard input is
closed, that is, when the process that wanted it is gone. `quiet` runs a command with its own network
namespace, in which there is loopback alone, and nothing else changed.

Owns the order of these steps. Does not own which files the command may see (confine.py).
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import select
import signal
import sys
import time
from typing import Any, NoReturn

if __name__ == "__main__":
    sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))  # noqa: PTH100, PTH120

from plugins import kernel

ENDED, NOT_MADE = 124, 125
"""Exit codes: ended at the time limit; the cell could not be made, and nothing was run."""

_INSIDE = 1000
_PROCESSES = 1024
_GIB, _MIB = 1024**3, 1024**2
_LARGEST_FILE, _MEMORY, _FILES = 64 * _MIB, 8 * _GIB, 4096
_MOST_OUTPUT = 4 * _MIB
_DEVICES = ("null", "zero", "full", "random", "urandom")
_NAME_SERVICES = ("/run/nscd", "/run/systemd/resolve", "/run/dbus", "/run/avahi-daemon")


def main() -> NoReturn:
    """Do what the first argument says."""
    if sys.argv[1] == "quiet":
        _quiet(sys.argv[2:])
    spec = json.loads(sys.stdin.buffer.readline())
    user, group = os.getuid(), os.getgid()
    errors, in_errors = os.pipe()
    out, in_out = os.pipe()
    err, in_err = os.pipe()
    try:
        with contextlib.suppress(PermissionError):
            os.setgroups([])
        kernel.unshare(kernel.NEW_NAMESPACES)
        kernel.map_identity(_INSIDE, user, group)
        first = os.fork()
    except OSError as error:
        _say(f"cell: {error.strerror or error}")
        os._exit(NOT_MADE)
    if first == 0:
        for other in (errors, out, err):
            os.close(other)
        _first_process(spec, in_errors, in_out, in_err)
    kernel.not_observable()
    for own in (in_errors, in_out, in_err):
        os.close(own)
    _watch(first, float(spec["seconds"]), errors, {out: 1, err: 2})


def _watch(first: int, seconds: float, errors: int, streams: dict[int, int]) -> NoReturn:
    """Pass on what the program says, until it ends, its time is over, or nobody wants it any more."""
    deadline = time.monotonic() + seconds
    left = dict.fromkeys(streams, _MOST_OUTPUT)
    problem = b""
    ending = os.pidfd_open(first)
    poll = select.poll()
    for each in (0, ending, errors, *streams):
        poll.register(each, select.POLLIN | select.POLLHUP)
    reading = {errors, *streams}
    code = None
    running = True
    # The end of the first process closes the streams of all others, so what is in them is read to its end.
    while running or reading:
        wait = deadline - time.monotonic()
        if wait <= 0:
            _say(f"the program was ended after {seconds:g} s, its time limit")
            code = ENDED
            break
        for handle, _ in poll.poll(wait * 1000):
            if handle == ending:
                running = False
                poll.unregister(ending)
                continue
            read = os.read(handle, 65_536)
            if handle == 0:
                # Nothing comes here but the end.
                code = ENDED if not read else code
            elif not read:
                poll.unregister(handle)
                reading.discard(handle)
            elif handle == errors:
                problem += read
            elif left[handle] > 0:
                _pass_on(read[: left[handle]], streams[handle])
                left[handle] -= len(read)
                if left[handle] <= 0:
                    _say(f"the program says more than {_MOST_OUTPUT // _MIB} MiB; the rest is left out")
        if code is not None:
            break
    if code is not None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(first, signal.SIGKILL)
    _, status = os.waitpid(first, 0)
    if problem:
        _say("cell: " + problem.decode(errors="replace"))
        code = NOT_MADE
    if code is None:
        code = os.waitstatus_to_exitcode(status)
    os._exit(code if code >= 0 else 128 - code)


def _pass_on(text: bytes, handle: int) -> None:
    with contextlib.suppress(BrokenPipeError):
        while text:
            text = text[os.write(handle, text) :]


def _first_process(spec: dict[str, Any], errors: int, out: int, err: int) -> NoReturn:
    """The first process of the pid namespace: when it ends, the kernel ends all others in it."""
    try:
        kernel.die_with_parent()
        nothing = os.open("/dev/null", os.O_RDONLY)
        os.dup2(nothing, 0)
        os.dup2(out, 1)
        os.dup2(err, 2)
        for each in (nothing, out, err):
            os.close(each)
        kernel.loopback_up()
        _furnish(spec)
        kernel.not_observable()
        program = os.fork()
        if program == 0:
            _program(spec, errors)
    except BaseException as error:  # noqa: BLE001 - whatever it is: nothing may run that is not confined
        os.write(errors, str(error).encode())
        os._exit(NOT_MADE)
    os.close(errors)
    for handle in (1, 2):
        os.close(handle)
    while True:
        ended, status = os.wait()
        if ended == program:
            code = os.waitstatus_to_exitcode(status)
            os._exit(code if code >= 0 else 128 - code)


def _program(spec: dict[str, Any], errors: int) -> NoReturn:
    os.setsid()
    os.set_inheritable(errors, False)
    os.closerange(errors + 1, 256)
    os.chdir(spec["folder"])
    _limit()
    kernel.leave_keyring()
    kernel.drop_rights()
    kernel.filter_calls()
    os.execve(spec["command"][0], spec["command"], spec["environment"])  # noqa: S606


def _limit() -> None:
    for what, most in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, _LARGEST_FILE),
        (resource.RLIMIT_DATA, _MEMORY),
        (resource.RLIMIT_NPROC, _PROCESSES),
        (resource.RLIMIT_NOFILE, _FILES),
        (resource.RLIMIT_MSGQUEUE, 0),
    ):
        _, hard = resource.getrlimit(what)
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(what, (most, most))


def _furnish(spec: dict[str, Any]) -> None:
    """Make the file tree, and let go of the one of the machine."""
    kernel.make_private()
    kernel.mount("tmpfs", "/tmp", "tmpfs", "mode=755,size=1m")  # noqa: S108 - in a mount namespace of its own
    os.mkdir("/tmp/machine")  # noqa: S108, PTH102
    os.mkdir("/tmp/cell")  # noqa: S108, PTH102
    os.chdir("/tmp")  # noqa: S108
    kernel.change_root(".", "machine")
    os.chdir("/")
    kernel.mount("tmpfs", "/cell", "tmpfs", "mode=755,size=1m,nr_inodes=16k", kernel.NO_SETUID)
    # Before what is shown: a checkout may lie in a folder for temporary files.
    _folder("/cell/tmp")
    private = kernel.NO_SETUID | kernel.NO_DEVICES
    kernel.mount("tmpfs", "/cell/tmp", "tmpfs", "mode=1777,size=256m,nr_inodes=64k", private)
    for path, target in spec["links"]:
        _make_link(target, "/cell" + path)
    for path in spec["readable"]:
        _show("/machine" + path, "/cell" + path)
    for path in spec["hidden"]:
        _hide("/cell" + path)
    if spec["sockets"]:
        _show("/machine" + spec["sockets"][0], "/cell" + spec["sockets"][1])
    _devices()
    _processes()
    kernel.restrict("/cell", kernel.READ_ONLY, below=False)
    os.chdir("/cell")
    kernel.change_root(".", ".")
    kernel.unmount(".")
    os.chdir("/")


def _show(source: str, place: str) -> None:
    if os.path.isdir(source):  # noqa: PTH112
        _folder(place)
    else:
        _folder(os.path.dirname(place))  # noqa: PTH120
        os.close(os.open(place, os.O_CREAT | os.O_WRONLY, 0o600))
    kernel.bind(source, place)
    kernel.restrict(place, kernel.READ_ONLY | kernel.NO_SETUID | kernel.NO_DEVICES)


def _hide(place: str) -> None:
    if os.path.islink(place) or not os.path.exists(place):  # noqa: PTH110, PTH114
        return
    if os.path.isdir(place):  # noqa: PTH112
        kernel.mount("tmpfs", place, "tmpfs", "mode=555,size=4k,nr_inodes=1", kernel.READ_ONLY)
    else:
        kernel.bind("/machine/dev/null", place)


def _devices() -> None:
    _folder("/cell/dev/shm")
    _folder("/cell/tmp/shm")
    kernel.bind("/cell/tmp/shm", "/cell/dev/shm")
    for name in _DEVICES:
        os.close(os.open(f"/cell/dev/{name}", os.O_CREAT | os.O_WRONLY, 0o600))
        kernel.bind(f"/machine/dev/{name}", f"/cell/dev/{name}")
    for name, target in (
        ("fd", "/proc/self/fd"),
        ("stdin", "/proc/self/fd/0"),
        ("stdout", "/proc/self/fd/1"),
        ("stderr", "/proc/self/fd/2"),
    ):
        os.symlink(target, f"/cell/dev/{name}")  # noqa: PTH211


def _processes() -> None:
    """A /proc of the cell's own processes; an empty one where the system forbids it (in some containers)."""
    _folder("/cell/proc")
    try:
        kernel.mount("proc", "/cell/proc", "proc", "", kernel.NO_SETUID | kernel.NO_DEVICES)
    except OSError:
        return
    limits = {
        # No user namespace in this one: most holes of the kernel need one.
        "/cell/proc/sys/user/max_user_namespaces": "0",
        # Of this process and those it starts: where memory runs out, they go first.
        "/cell/proc/self/oom_score_adj": "1000",
    }
    if tuple(int(part) for part in os.uname().release.split(".")[:2] if part.isdigit()) >= (6, 14):
        # Of the pid namespace, and it binds root too, as RLIMIT_NPROC does not. Before, it was the machine's.
        limits["/cell/proc/sys/kernel/pid_max"] = str(_PROCESSES)
    for path, text in limits.items():
        with contextlib.suppress(OSError), open(path, "w") as file:  # noqa: PTH123
            file.write(text)
    # Where root runs this, the settings of the machine below /proc/sys would belong to the program.
    kernel.restrict("/cell/proc", kernel.READ_ONLY)


def _folder(path: str) -> None:
    os.makedirs(path, 0o755, exist_ok=True)  # noqa: PTH103


def _make_link(target: str, place: str) -> None:
    if not os.path.lexists(place):
        _folder(os.path.dirname(place))  # noqa: PTH120
        os.symlink(target, place)  # noqa: PTH211


def _quiet(command: list[str]) -> NoReturn:
    user, group = os.getuid(), os.getgid()
    try:
        kernel.unshare(kernel.NEW_USER | kernel.NEW_MOUNTS | kernel.NEW_NETWORK)
        kernel.map_identity(user, user, group)
        kernel.make_private()
        kernel.loopback_up()
        for path in _NAME_SERVICES:
            # Sockets of files work across network namespaces, and these would ask a name server.
            if os.path.isdir(path):  # noqa: PTH112
                kernel.mount("tmpfs", path, "tmpfs", "mode=555,size=4k,nr_inodes=1", kernel.READ_ONLY)
    except OSError as error:
        _say(f"cell: {error.strerror or error}")
        os._exit(NOT_MADE)
    os.execvp(command[0], command)  # noqa: S606


def _say(text: str) -> None:
    _pass_on((text + "\n").encode(), 2)


if __name__ == "__main__":
    main()
