"""Seccomp: system calls that decoding a document never needs are refused by the kernel.

Belongs here: the list and the filter. Does not: paths or users. Numbers from the system call tables of Linux 6.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct
from typing import Final

from tvdb_pipeline.parsing.sandbox import kernel

_X86, _ARM = 0xC000003E, 0xC00000B7  # linux/audit.h
_X32_BIT: Final = 0x40000000
_PR_SET_SECCOMP, _MODE_FILTER = 22, 2
_ALLOW, _REFUSE, _KILL = 0x7FFF0000, 0x00050000, 0x80000000
_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER_AT, _ARCHITECTURE_AT, _ARGUMENT_AT = 0, 4, 16  # struct seccomp_data, low words
_CLONE_THREAD, _CLONE_NAMESPACES = 0x00010000, 0x7E020000

# name: (x86-64, aarch64), None where the machine has no such call.
_NEVER: Final[dict[str, tuple[int | None, int | None]]] = {
    "socket": (41, 198), "connect": (42, 203), "bind": (49, 200), "listen": (50, 201), "accept": (43, 202),
    "accept4": (288, 242), "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271),
    "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41), "chroot": (161, 51), "unshare": (272, 97),
    "setns": (308, 268), "bpf": (321, 280), "perf_event_open": (298, 241), "userfaultfd": (323, 282),
    "keyctl": (250, 219), "add_key": (248, 217), "request_key": (249, 218), "kexec_load": (246, 104),
    "kexec_file_load": (320, 294), "init_module": (175, 105), "finit_module": (313, 273), "delete_module": (176, 106),
    "reboot": (169, 142), "swapon": (167, 224), "swapoff": (168, 225), "syslog": (103, 116), "acct": (163, 89),
    "name_to_handle_at": (303, 264), "open_by_handle_at": (304, 265), "personality": (135, 92),
    "settimeofday": (164, 170), "clock_settime": (227, 112), "sethostname": (170, 161), "setdomainname": (171, 162),
    "quotactl": (179, 60), "iopl": (172, None), "ioperm": (173, None), "kill": (62, 129), "tkill": (200, 130),
    "rt_sigqueueinfo": (129, 138), "rt_tgsigqueueinfo": (297, 240), "setuid": (105, 146), "setgid": (106, 144),
    "setresuid": (117, 147), "setresgid": (119, 149), "setgroups": (116, 159), "capset": (126, 91), "mknod": (133, None),
    "mknodat": (259, 33), "pidfd_send_signal": (424, 424), "io_uring_setup": (425, 425), "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427), "open_tree": (428, 428), "move_mount": (429, 429), "fsopen": (430, 430),
    "fsmount": (432, 432), "socketpair": (53, 199), "setreuid": (113, 145), "setregid": (114, 143), "setpgid": (109, 154),
    "setsid": (112, 157), "memfd_create": (319, 279), "memfd_secret": (447, 447), "shmget": (29, 194), "msgget": (68, 186),
    "semget": (64, 190), "mq_open": (240, 180), "fanotify_init": (300, 262), "kcmp": (312, 272),
    "pidfd_open": (434, 434), "pidfd_getfd": (438, 438), "mount_setattr": (442, 442),
}  # fmt: skip
_STARTING: Final[dict[str, tuple[int | None, int | None]]] = {
    "fork": (57, None), "vfork": (58, None), "execve": (59, 221), "execveat": (322, 281),
}  # fmt: skip
_CLONE, _CLONE3, _TGKILL, _PRLIMIT = (56, 220), 435, (234, 131), (302, 261)


def enter(*, may_execute: bool) -> None:
    """Refuse those calls (EPERM) from here on. may_execute: programs can be started, for an OCR command.

    Wants `forbid_new_privileges`. Raises OSError, or NotImplementedError on machines the numbers are not known of.
    """
    if os.uname().machine not in ("x86_64", "aarch64"):
        raise NotImplementedError("system call numbers are known for x86-64 and aarch64")
    program = b"".join(struct.pack("HBBI", *step) for step in _filter(may_execute))
    buffer = ctypes.create_string_buffer(program, len(program))
    record = struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(buffer))
    kernel.prctl(_PR_SET_SECCOMP, _MODE_FILTER, ctypes.create_string_buffer(record, len(record)), 0, 0)


_Step = tuple[int, int, int, int]


def _filter(may_execute: bool) -> list[_Step]:
    machine = 0 if kernel.ON_X86 else 1
    refuse, allow = (_RETURN, 0, 0, _REFUSE | errno.EPERM), (_RETURN, 0, 0, _ALLOW)
    steps: list[_Step] = [
        (_LOAD, 0, 0, _ARCHITECTURE_AT),
        (_EQUAL, 1, 0, _X86 if kernel.ON_X86 else _ARM),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER_AT),
    ]
    if kernel.ON_X86:
        steps += [(_AT_LEAST, 0, 1, _X32_BIT), (_RETURN, 0, 0, _KILL)]
    refused = _NEVER if may_execute else _NEVER | _STARTING
    for numbers in refused.values():
        if (number := numbers[machine]) is not None:
            steps += [(_EQUAL, 0, 1, number), refuse]
    # Libraries fall back to clone, whose flags a filter can read, where clone3 is not there.
    steps += [(_EQUAL, 0, 1, _CLONE3), (_RETURN, 0, 0, _REFUSE | errno.ENOSYS)]
    arguments = (_LOAD, 0, 0, _ARGUMENT_AT)
    # No namespaces, in which one would have all rights; threads can be started, processes only for a command.
    thread_only = [] if may_execute else [(_ANY_BIT, 1, 0, _CLONE_THREAD), refuse]
    steps += [
        (_EQUAL, 0, 4 + len(thread_only), _CLONE[machine]),
        arguments,
        (_ANY_BIT, 0, 1, _CLONE_NAMESPACES),
        refuse,
    ]
    steps += [*thread_only, allow]
    # A process that aborts signals itself; nobody else is to be signalled, or given other limits.
    own = os.getpid()
    steps += [(_EQUAL, 0, 3, _TGKILL[machine]), arguments, (_EQUAL, 1, 0, own), refuse]
    steps += [(_LOAD, 0, 0, _NUMBER_AT), (_EQUAL, 0, 4, _PRLIMIT[machine]), arguments]
    steps += [(_EQUAL, 2, 0, 0), (_EQUAL, 1, 0, own), refuse]
    return [*steps, allow]
