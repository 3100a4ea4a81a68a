"""What a process taken over by a document might try. Run by itself: it confines itself, tries everything, and tells as JSON.

argv: a JSON record `{scratch, memory_mb, may_execute, without_namespaces, secret, port, unix, abstract, victim}`. Prints
`{measures, refused: {name: error}, done: {name: value}}`.
"""

from __future__ import annotations

import ctypes
import json
import mmap
import multiprocessing
import os
import resource
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tvdb_pipeline.parsing.sandbox.confinement import confine

REQUEST: dict[str, Any] = json.loads(sys.argv[1])
VICTIM: int = REQUEST["victim"]
SECRET: str = REQUEST["secret"]
LIBC = ctypes.CDLL(None, use_errno=True)
CLONE_NEWUSER, CLONE_NEWNS = 0x10000000, 0x00020000


def call(number: int, *arguments: Any) -> int:
    """A system call of x86-64."""
    result = LIBC.syscall(number, *arguments)
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def refuse_namespaces() -> None:
    """Go on as the same user where no namespace of any kind is to be had, as in many containers."""
    user, group = os.geteuid(), os.getegid()
    LIBC.prctl(4, 1, 0, 0, 0)  # what a change of user took away: writing one's own /proc files
    if LIBC.unshare(CLONE_NEWUSER):
        raise OSError(ctypes.get_errno(), "unshare")
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
    Path("/proc/self/gid_map").write_text(f"{group} {group} 1")
    for kind in ("net", "pid", "mnt", "ipc", "uts", "user"):
        Path(f"/proc/sys/user/max_{kind}_namespaces").write_text("0")


def connected(family: int, kind: int, address: Any) -> None:
    with socket.socket(family, kind) as end:
        end.connect(address)
        end.send(b"hello")


def through_a_pair(address: str) -> None:
    one, _ = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    one.sendto(b"hello", address)


def spawned() -> None:
    process = multiprocessing.get_context("fork").Process(target=int)
    process.start()


def linked() -> bytes:
    Path("link").symlink_to(SECRET)
    return Path("link").read_bytes()


def by_path_only() -> bytes:
    folder = os.open("/", os.O_PATH)
    return Path(f"/proc/self/fd/{folder}{SECRET}").read_bytes()


def relative_to_a_folder() -> int:
    return os.open("../../../../../../.." + SECRET, os.O_RDONLY, dir_fd=os.open(".", os.O_RDONLY))


def more_memory() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


def overwritten() -> None:
    import tvdb_pipeline

    Path(tvdb_pipeline.__file__).open("ab").close()


def file_of(megabytes: int) -> None:
    with Path("large").open("wb") as file:
        try:
            os.posix_fallocate(file.fileno(), 0, megabytes << 20)
        finally:
            Path("large").unlink()


REFUSED: dict[str, Callable[[], Any]] = {
    "TCP": lambda: connected(socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", REQUEST["port"])),
    "UDP": lambda: connected(socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", REQUEST["port"])),
    "a socket in the file system": lambda: connected(socket.AF_UNIX, socket.SOCK_STREAM, REQUEST["unix"]),
    "an abstract socket": lambda: connected(socket.AF_UNIX, socket.SOCK_DGRAM, "\0" + REQUEST["abstract"]),
    "an abstract socket through a pair": lambda: through_a_pair("\0" + REQUEST["abstract"]),
    "a socket of the kernel": lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0),
    "kill": lambda: os.kill(VICTIM, signal.SIGUSR1),
    "killpg": lambda: os.killpg(VICTIM, signal.SIGUSR1),
    "tgkill": lambda: call(234, VICTIM, VICTIM, 10),
    "a process by descriptor": lambda: os.pidfd_open(VICTIM),
    "ptrace": lambda: call(101, 16, VICTIM, 0, 0),
    "reading memory of another": lambda: call(310, VICTIM, None, 0, None, 0, 0),
    "limits of another": lambda: resource.prlimit(VICTIM, resource.RLIMIT_NOFILE),
    "environment of another": lambda: Path(f"/proc/{VICTIM}/environ").read_bytes(),
    "root of another": lambda: Path(f"/proc/{VICTIM}/root{SECRET}").read_bytes(),
    "its own session": os.setsid,
    "secret": lambda: Path(SECRET).read_bytes(),
    "secret by a link": linked,
    "secret by its own root": lambda: Path("/proc/self/root" + SECRET).read_bytes(),
    "secret by a descriptor": by_path_only,
    "secret from the scratch folder": relative_to_a_folder,
    "folder of the secret": lambda: list(Path(SECRET).parent.iterdir()),
    "root folder": lambda: list(Path("/").iterdir()),
    "accounts": lambda: Path("/etc/passwd").read_bytes(),
    "host name": lambda: Path("/etc/hostname").read_bytes(),
    "a file in the temporary folder": lambda: Path("/tmp/tvdb-attempt").write_bytes(b""),
    "a file beside the secret": lambda: Path(SECRET + "-attempt").write_bytes(b""),
    "a file in a system folder": lambda: Path("/usr/tvdb-attempt").write_bytes(b""),
    "our own modules": overwritten,
    "mount": lambda: call(165, b"none", b".", b"tmpfs", 0, None),
    "chroot": lambda: os.chroot("."),
    "a user namespace": lambda: call(272, CLONE_NEWUSER),
    "a mount namespace": lambda: call(272, CLONE_NEWNS),
    "a child with a user namespace": lambda: call(56, CLONE_NEWUSER | signal.SIGCHLD, None, None, None, None),
    "becoming root": lambda: os.setuid(0),
    "becoming root altogether": lambda: os.setresuid(0, 0, 0),
    "groups of root": lambda: os.setgroups([0]),
    "a device": lambda: os.mknod("device", 0o060600, os.makedev(8, 0)),
    "more memory": more_memory,
    "memory beyond the limit": lambda: mmap.mmap(-1, REQUEST["memory_mb"] << 20),
    "a nameless file": lambda: os.memfd_create("x"),
    "shared memory": lambda: call(29, 0, 4096, 0o1600),
    "a file beyond the limit": lambda: file_of(300),
    "io_uring": lambda: call(425, 1, ctypes.create_string_buffer(120)),
    "bpf": lambda: call(321, 0, ctypes.create_string_buffer(128), 128),
    "keys": lambda: call(250, 0, -3, 0),
}
STARTING: dict[str, Callable[[], Any]] = {
    "fork": lambda: os.fork() or os._exit(0),
    "vfork": lambda: call(58),
    "clone": lambda: call(56, int(signal.SIGCHLD), None, None, None, None),
    "clone3": lambda: call(435, ctypes.create_string_buffer(88), 88),
    "a command": lambda: subprocess.run(["/bin/true"], check=True),
    "posix_spawn": lambda: os.posix_spawn("/bin/true", ["true"], {}),
    "multiprocessing": spawned,
    "execve": lambda: os.execv("/bin/true", ["true"]),
}


def in_a_thread() -> list[int]:
    heard: list[int] = []
    thread = threading.Thread(target=lambda: heard.append(1))
    thread.start()
    thread.join()
    return heard


def own_file() -> int:
    Path("own").write_bytes(b"x")
    return Path("own").stat().st_mode & 0o777


def command_output() -> str:
    return subprocess.run(["/usr/bin/id", "-u"], capture_output=True, check=True, text=True).stdout.strip()


def filled_up() -> str:
    """Fill the scratch folder; what stops it."""
    try:
        for number in range(20):
            with Path(f"part{number}").open("wb") as file:
                os.posix_fallocate(file.fileno(), 0, 64 << 20)
    except OSError as error:
        return f"errno {error.errno} after {number * 64} MB"
    return "nothing"


ALLOWED: dict[str, Callable[[], Any]] = {
    "a thread": in_a_thread,
    "mode of a file of its own": own_file,
    "user": os.getuid,
    "groups": os.getgroups,
    "folder": os.getcwd,
    "descriptors": lambda: sorted(int(path.name) for path in Path("/proc/self/fd").iterdir())[:-1],
    "environment": lambda: sorted(os.environ),
    "status": lambda: Path("/proc/self/status").read_text(),
    "processes": lambda: sorted(path.name for path in Path("/proc").iterdir() if path.name.isdigit()),
    "interfaces": lambda: Path("/proc/self/net/dev").read_text().count(":"),
    "scratch": filled_up,
}


def outcome(attempt: Callable[[], Any]) -> tuple[bool, Any]:
    try:
        return True, attempt()
    except Exception as error:
        return False, f"{type(error).__name__} {getattr(error, 'errno', '')}".strip()


def main() -> None:
    if REQUEST["without_namespaces"]:
        refuse_namespaces()
    measures = confine(REQUEST["scratch"], REQUEST["memory_mb"], may_execute=REQUEST["may_execute"])
    told = {measure.name: [measure.in_force, measure.detail] for measure in measures}
    allowed = dict(ALLOWED)
    if not told["file system"][0]:
        del allowed["scratch"]  # it is on the disk then
    if REQUEST["may_execute"]:
        allowed["a command"] = command_output
    refused = REFUSED if REQUEST["may_execute"] else REFUSED | STARTING
    results = {name: outcome(attempt) for name, attempt in (allowed | refused).items()}
    answer = {
        "measures": told,
        "done": {name: value if name in allowed else str(value) for name, (done, value) in results.items() if done},
        "refused": {name: value for name, (done, value) in results.items() if not done},
    }
    print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
