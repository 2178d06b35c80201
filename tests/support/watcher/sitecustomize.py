"""Run by every Python process that `watched` starts and that those start: tells of sockets, or forbids them."""

import ctypes
import os
import platform
import socket
import struct
import sys

LOG = os.open(os.environ["WATCH_LOG"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
UNIX = getattr(socket, "AF_UNIX", None)
CALLS = {"x86_64": (0xC000003E, 41), "aarch64": (0xC00000B7, 198)}
"""Machine -> its AUDIT_ARCH and its number of the system call `socket`, from linux/audit.h and asm/unistd.h."""


def tell(event: str, args: tuple[object, ...]) -> None:
    """Note an audit event about a socket; a pair of ends inside one process (an event loop's) leads nowhere."""
    if event.startswith("socket.") and not (event == "socket.__new__" and args[1] == UNIX):
        os.write(LOG, f"{event} {args[1:]}\n".encode())


def forbid() -> None:
    """Have the kernel kill this process, and all that it starts, at the system call `socket`."""
    arch, number = CALLS[platform.machine()]
    # BPF_LD | BPF_W | BPF_ABS, BPF_JMP | BPF_JEQ | BPF_K, BPF_RET | BPF_K
    load, equal, leave = 0x20, 0x15, 0x06
    allow, kill = 0x7FFF0000, 0x80000000
    steps = [(load, 0, 0, 4), (equal, 0, 2, arch), (load, 0, 0, 0), (equal, 0, 1, number)]
    steps += [(leave, 0, 0, kill), (leave, 0, 0, allow)]
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in steps))
    program = struct.pack("HxxxxxxP", len(steps), ctypes.addressof(code))
    kernel = ctypes.CDLL(None, use_errno=True)
    for call in ((38, 1, 0, 0, 0), (22, 2, program, 0, 0)):  # PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP
        if kernel.prctl(*call):
            raise OSError(ctypes.get_errno(), "seccomp is not permitted")


sys.addaudithook(tell)
if os.environ.get("WATCH_FORBID"):
    forbid()
