"""What of Linux Python has no functions for: namespaces, mounts, capabilities and a filter for system calls.

Owns the calls, one function each, with an error that names the call. Does not own what they are good for
(cell.py). Only the standard library: it runs before there is an environment to trust. Sources: the manual
pages of the calls, and the kernel's Documentation/userspace-api/seccomp_filter.rst.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import platform
import socket
import struct
from dataclasses import dataclass

NEW_NAMESPACES = 0x20000 | 0x02000000 | 0x04000000 | 0x08000000 | 0x10000000 | 0x20000000 | 0x40000000
"""Mount, cgroup, uts, ipc, user, pid and network."""
NEW_USER, NEW_MOUNTS, NEW_NETWORK = 0x10000000, 0x20000, 0x40000000

READ_ONLY, NO_SETUID, NO_DEVICES = 1, 2, 4
_BIND, _RECURSIVE, _PRIVATE = 0x1000, 0x4000, 1 << 18
_DETACH = 2
_FOLDER, _WALK = -100, 0x8000

_libc = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long


@dataclass(frozen=True)
class _Machine:
    """What differs by processor: its number for seccomp, and numbers of system calls."""

    audit: int
    pivot_root: int
    keyctl: int
    socket: int
    clone: int
    denied: tuple[int, ...]
    """add_key, request_key, keyctl, ptrace, process_vm_readv, process_vm_writev, perf_event_open, bpf,
    userfaultfd, open_by_handle_at, unshare, setns, mount, umount2, pivot_root."""
    foreign: int | None
    """From here on numbers are of another calling convention (x32)."""


_MACHINES = {
    "x86_64": _Machine(
        0xC000003E,
        155,
        250,
        41,
        56,
        (248, 249, 250, 101, 310, 311, 298, 321, 323, 304, 272, 308, 165, 166, 155),
        0x40000000,
    ),
    "aarch64": _Machine(
        0xC00000B7,
        41,
        219,
        198,
        220,
        (217, 218, 219, 117, 270, 271, 241, 280, 282, 265, 97, 268, 40, 39, 41),
        None,
    ),
}
_DENIED_EVERYWHERE = (425, 426, 427, 428, 429, 430, 431, 432, 433, 438, 442)
"""io_uring (it opens sockets past this filter), the newer calls for mounts, pidfd_getfd."""
_CLONE3, _MOUNT_SETATTR = 435, 442


def machine() -> str | None:
    """None where this processor is known here, its name where not."""
    name = platform.machine()
    return None if name in _MACHINES else name


def unshare(flags: int) -> None:
    """Move this process to new namespaces."""
    _check("unshare", _libc.unshare(ctypes.c_int(flags)))


def map_identity(inside: int, user: int, group: int) -> None:
    """In a new user namespace: `user` and `group` outside are `inside` within, and nobody else is there."""
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{inside} {user} 1"),
        ("gid_map", f"{inside} {group} 1"),
    ):
        with open(f"/proc/self/{name}", "w") as file:  # noqa: PTH123 - pathlib is not loaded here
            file.write(text)


def loopback_up() -> None:
    """Turn the loopback interface of this network namespace on."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as own:
        fcntl.ioctl(own, 0x8914, struct.pack("16sH22x", b"lo", 0x1 | 0x40))


def mount(what: str, where: str, kind: str, options: str = "", flags: int = 0) -> None:
    """Mount a new file system."""
    _check(
        f"mount {kind} on {where}",
        _libc.mount(
            what.encode(), where.encode(), kind.encode(), ctypes.c_ulong(flags), options.encode() or None
        ),
    )


def make_private() -> None:
    """What is mounted from now on stays in this mount namespace."""
    _check("mount private", _libc.mount(None, b"/", None, ctypes.c_ulong(_RECURSIVE | _PRIVATE), None))


def bind(what: str, where: str) -> None:
    """Show the file or folder `what`, with all that is mounted below, at `where`."""
    result = _libc.mount(what.encode(), where.encode(), None, ctypes.c_ulong(_BIND | _RECURSIVE), None)
    _check(f"bind {what}", result)


def restrict(where: str, attributes: int, *, below: bool = True) -> None:
    """Give the mount at `where`, and all `below` it, `attributes`, for good."""
    asked = struct.pack("QQQQ", attributes, 0, 0, 0)
    result = _libc.syscall(
        ctypes.c_long(_MOUNT_SETATTR),
        ctypes.c_int(_FOLDER),
        ctypes.c_char_p(where.encode()),
        ctypes.c_uint(_WALK if below else 0),
        ctypes.c_char_p(asked),
        ctypes.c_size_t(len(asked)),
    )
    _check(f"mount_setattr {where}", result)


def change_root(new: str, old: str) -> None:
    """Make `new` the root of the file tree and put the old one at `old`, a path below `new`."""
    number = _MACHINES[platform.machine()].pivot_root
    _check("pivot_root", _libc.syscall(ctypes.c_long(number), new.encode(), old.encode()))


def unmount(where: str) -> None:
    """Take the mount at `where` away, with all below it."""
    _check(f"umount {where}", _libc.umount2(where.encode(), ctypes.c_int(_DETACH)))


def die_with_parent() -> None:
    """Kill this process when its parent ends."""
    _prctl("PR_SET_PDEATHSIG", 1, 9)


def not_observable() -> None:
    """No process without more rights than this one may look into it."""
    _prctl("PR_SET_DUMPABLE", 4, 0)


def leave_keyring() -> None:
    """An empty session keyring in place of the user's."""
    number = _MACHINES[platform.machine()].keyctl
    if _libc.syscall(ctypes.c_long(number), ctypes.c_int(1), None) == -1 and ctypes.get_errno() not in (
        errno.ENOSYS,
        errno.EPERM,
    ):
        _check("keyctl", -1)


def drop_rights() -> None:
    """No capability, and no way back to one."""
    for capability in range(64):
        if _libc.prctl(24, ctypes.c_ulong(capability), 0, 0, 0) == -1:
            if ctypes.get_errno() == errno.EINVAL:
                break
            _check("PR_CAPBSET_DROP", -1)
    _prctl("PR_SET_SECUREBITS", 28, 0x2F)
    _prctl("PR_CAP_AMBIENT", 47, 4)
    header, nothing = struct.pack("Ii", 0x20080522, 0), bytes(24)
    _check("capset", _libc.capset(header, nothing))
    _prctl("PR_SET_NO_NEW_PRIVS", 38, 1)


def filter_calls() -> None:
    """From now on: sockets of unix and internet alone, no namespaces, mounts, keys, tracing, io_uring."""
    name = platform.machine()
    known = _MACHINES[name]
    load, equal, at_least, any_bit, end = 0x20, 0x15, 0x35, 0x45, 0x06
    allow, kill = 0x7FFF0000, 0x80000000

    def refuse(number: int) -> tuple[int, int, int, int]:
        return end, 0, 0, 0x00050000 | number

    lines = [(load, 0, 0, 4), (equal, 1, 0, known.audit), (end, 0, 0, kill), (load, 0, 0, 0)]
    if known.foreign is not None:
        lines += [(at_least, 0, 1, known.foreign), refuse(errno.EPERM)]
    for number in (*known.denied, *_DENIED_EVERYWHERE):
        lines += [(equal, 0, 1, number), refuse(errno.EPERM)]
    # clone3 hides its flags behind a pointer; without it the C library takes clone.
    lines += [(equal, 0, 1, _CLONE3), refuse(errno.ENOSYS)]
    lines += [(equal, 0, 4, known.clone), (load, 0, 0, 16), (any_bit, 0, 1, NEW_NAMESPACES)]
    lines += [refuse(errno.EPERM), (end, 0, 0, allow)]
    lines += [(equal, 0, 5, known.socket), (load, 0, 0, 16)]
    lines += [(equal, 3, 0, family) for family in (socket.AF_UNIX,)]
    lines += [(equal, 2, 0, socket.AF_INET), (equal, 1, 0, socket.AF_INET6), refuse(errno.EAFNOSUPPORT)]
    lines += [(end, 0, 0, allow)]
    code = b"".join(struct.pack("HBBI", *line) for line in lines)
    held = ctypes.create_string_buffer(code)
    program = struct.pack("HxxxxxxP", len(lines), ctypes.addressof(held))
    kept = ctypes.create_string_buffer(program)
    _check("seccomp", _libc.prctl(22, 2, ctypes.c_void_p(ctypes.addressof(kept)), 0, 0))


def _prctl(name: str, option: int, value: int) -> None:
    _check(name, _libc.prctl(option, ctypes.c_ulong(value), 0, 0, 0))


def _check(what: str, result: int) -> None:
    if result == -1:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
