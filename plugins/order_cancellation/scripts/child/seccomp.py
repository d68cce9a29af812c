"""The system-call filter: what a script has no business with answers EPERM, and the script sees an OSError.

One classic BPF program, checked by the kernel at each call: another architecture's calls end the process,
the listed calls are refused, some are judged by their arguments, calls that are younger than this list do
not exist.
"""

from __future__ import annotations

import ctypes
import os
import struct

from . import kernel

__all__ = ["filter_fork", "filter_process"]


def _table(text: str) -> dict[str, tuple[int, int]]:
    """Read ``name:x86_64:aarch64``, numbers as in the kernel's headers, -1 where there is no such call."""
    triples = (entry.split(":") for entry in text.split())
    return {name: (int(intel), int(arm)) for name, intel, arm in triples}


_DENIED = _table(
    """
    fork:57:-1 vfork:58:-1 execve:59:221 execveat:322:281 ptrace:101:117 process_vm_readv:310:270
    process_vm_writev:311:271 process_madvise:440:440 process_mrelease:448:448 pidfd_open:434:434
    pidfd_getfd:438:438 pidfd_send_signal:424:424 io_uring_setup:425:425 io_uring_enter:426:426
    io_uring_register:427:427 bpf:321:280 perf_event_open:298:241 userfaultfd:323:282 unshare:272:97
    setns:308:268 mount:165:40 umount2:166:39 pivot_root:155:41 chroot:161:51 mount_setattr:442:442
    move_mount:429:429 fsopen:430:430 fsconfig:431:431 fsmount:432:432 fspick:433:433 open_tree:428:428
    add_key:248:217 request_key:249:218 keyctl:250:219 name_to_handle_at:303:264 open_by_handle_at:304:265
    shmget:29:194 shmat:30:196 shmctl:31:195 shmdt:67:197 semget:64:190 semop:65:193 semctl:66:191
    semtimedop:220:192 msgget:68:186 msgsnd:69:189 msgrcv:70:188 msgctl:71:187 mq_open:240:180
    mq_unlink:241:181 mq_timedsend:242:182 mq_timedreceive:243:183 mq_notify:244:184 mq_getsetattr:245:185
    memfd_create:319:279 memfd_secret:447:447 setuid:105:146 setgid:106:144 setreuid:113:145
    setregid:114:143 setresuid:117:147 setresgid:119:149 setfsuid:122:151 setfsgid:123:152
    setgroups:116:159 capset:126:91 setpriority:141:140 sched_setaffinity:203:122
    sched_setscheduler:144:119 sched_setparam:142:118 sched_setattr:314:274 ioprio_set:251:30
    clock_settime:227:112 clock_adjtime:305:266 adjtimex:159:171 settimeofday:164:170 chmod:90:-1
    fchmod:91:52 fchmodat:268:53 chown:92:-1 fchown:93:55 lchown:94:-1 fchownat:260:54 utime:132:-1
    utimes:235:-1 futimesat:261:-1 utimensat:280:88 setxattr:188:5 lsetxattr:189:6 fsetxattr:190:7
    removexattr:197:14 lremovexattr:198:15 fremovexattr:199:16 rename:82:-1 renameat:264:38
    renameat2:316:276 unlink:87:-1 unlinkat:263:35 rmdir:84:-1 mkdir:83:-1 mkdirat:258:34 mknod:133:-1
    mknodat:259:33 link:86:-1 linkat:265:37 symlink:88:-1 symlinkat:266:36 truncate:76:45 creat:85:-1
    fallocate:285:47 quotactl:179:60 quotactl_fd:443:443 swapon:167:224 swapoff:168:225 reboot:169:142
    kexec_load:246:104 kexec_file_load:320:294 init_module:175:105 finit_module:313:273
    delete_module:176:106 syslog:103:116 acct:163:89 sethostname:170:161 setdomainname:171:162 iopl:172:-1
    ioperm:173:-1 modify_ldt:154:-1 personality:135:92 kcmp:312:272 lookup_dcookie:212:18
    migrate_pages:256:238 move_pages:279:239 vhangup:153:58 uselib:134:-1 ustat:136:-1 nfsservctl:180:42
    setsid:112:157 setpgid:109:154 rt_sigqueueinfo:129:138 rt_tgsigqueueinfo:297:240 tkill:200:130
    inotify_init:253:-1 inotify_init1:294:26 fanotify_init:300:262 landlock_create_ruleset:444:444
    landlock_add_rule:445:445 landlock_restrict_self:446:446 bind:49:200 listen:50:201 accept:43:202
    accept4:288:242
    """
)
_BY_CASE = _table(
    """
    clone:56:220 clone3:435:435 prctl:157:167 seccomp:317:277 setrlimit:160:164 prlimit64:302:261
    kill:62:129 tgkill:234:131 open:2:-1 openat:257:56 openat2:437:437 fcntl:72:25 ioctl:16:29
    socket:41:198 socketpair:53:199 connect:42:203 sendto:44:206 sendmsg:46:211 sendmmsg:307:269
    """
)

_MACHINES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}
_YOUNGEST = 450
"""The last call that this list knows (set_mempolicy_home_node); the same number on both architectures."""
_X32 = 0x40000000

_ALLOW, _KILL, _EPERM, _ENOSYS = 0x7FFF0000, 0x80000000, 0x50001, 0x50026
_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _MASK, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x54, 0x06

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND | 0x400000
_FORK_FLAGS = (0x01200011, 0x11)
"""How the C libraries fork: SIGCHLD, with or without noting the thread's number."""
_SAFE_IOCTLS = (0x5401, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451)
"""TCGETS, TIOCGWINSZ, FIONREAD, FIONBIO, FIONCLEX, FIOCLEX."""
_BAD_FCNTLS = (8, 10, 15, 1026)
"""F_SETOWN, F_SETSIG, F_SETOWN_EX, F_NOTIFY: they make the kernel send signals."""


class _Program:
    """A filter under construction, for one architecture."""

    def __init__(self) -> None:
        machine = os.uname().machine
        if machine not in _MACHINES:
            raise OSError(38, f"no system-call numbers are known for {machine}")
        self._column, architecture = _MACHINES[machine]
        self._code: list[bytes] = []
        self._add(_LOAD, 4)
        self._add(_EQUAL, architecture, 1, 0)
        self._add(_RETURN, _KILL)
        self._add(_LOAD, 0)
        if self._column == 0:
            self._add(_AT_LEAST, _X32, 0, 1)
            self._add(_RETURN, _KILL)

    def _add(self, operation: int, value: int, if_true: int = 0, if_false: int = 0) -> None:
        self._code.append(struct.pack("HBBI", operation, if_true, if_false, value & 0xFFFFFFFF))

    def number(self, name: str) -> int:
        """Return a call's number on this machine, -1 where there is none."""
        return (_DENIED.get(name) or _BY_CASE[name])[self._column]

    def refuse(self, name: str, answer: int = _EPERM) -> None:
        """Refuse a call, whatever its arguments."""
        if self.number(name) >= 0:
            self._add(_EQUAL, self.number(name), 0, 1)
            self._add(_RETURN, answer)

    def refuse_younger(self) -> None:
        """Refuse calls that this list does not know."""
        self._add(_AT_LEAST, _YOUNGEST + 1, 0, 1)
        self._add(_RETURN, _ENOSYS)

    def judge(self, name: str, steps: list[tuple[int, int, int, int]]) -> None:
        """Judge a call by arguments: the steps end in a return each way."""
        if self.number(name) >= 0:
            self._add(_EQUAL, self.number(name), 0, len(steps))
            for step in steps:
                self._add(*step)

    def install(self) -> None:
        """Allow all else, and put the filter in force for good."""
        self._add(_RETURN, _ALLOW)
        code = ctypes.create_string_buffer(b"".join(self._code))
        program = ctypes.create_string_buffer(
            struct.pack("HxxxxxxQ", len(self._code), ctypes.addressof(code))
        )
        kernel.no_new_privileges()
        kernel.prctl(kernel.PR_SET_SECCOMP, 2, program)


def _argument(index: int, *, high: bool = False) -> tuple[int, int, int, int]:
    return (_LOAD, 16 + 8 * index + 4 * high, 0, 0)


_OK, _NO = (_RETURN, _ALLOW, 0, 0), (_RETURN, _EPERM, 0, 0)


def _one_of(index: int, allowed: tuple[int, ...], mask: int = 0xFFFFFFFF) -> list[tuple[int, int, int, int]]:
    """Allow where the argument is one of these values, refuse all others."""
    tests = [(_EQUAL, value, len(allowed) - place, 0) for place, value in enumerate(allowed)]
    return [_argument(index), (_MASK, mask, 0, 0), *tests, _NO, _OK]


def _none_of(index: int, refused: tuple[int, ...]) -> list[tuple[int, int, int, int]]:
    tests = [(_EQUAL, value, len(refused) - place, 0) for place, value in enumerate(refused)]
    return [_argument(index), *tests, _OK, _NO]


def _no_bits(index: int, bits: int) -> list[tuple[int, int, int, int]]:
    return [_argument(index), (_ANY_BIT, bits, 0, 1), _NO, _OK]


def _is_null(index: int) -> list[tuple[int, int, int, int]]:
    """Allow where a pointer is null."""
    return [_argument(index), (_EQUAL, 0, 0, 2), _argument(index, high=True), (_EQUAL, 0, 1, 0), _NO, _OK]


def _needs(index: int, allowed: tuple[int, ...], mask: int = 0xFFFFFFFF) -> list[tuple[int, int, int, int]]:
    """Refuse unless the argument is one of these values, else go on with the next test."""
    tests = [(_EQUAL, value, len(allowed) - place, 0) for place, value in enumerate(allowed)]
    return [_argument(index), (_MASK, mask, 0, 0), *tests, _NO]


def filter_process(*, network: bool, forks: bool) -> None:
    """Put the filter in force for this process and all that it forks.

    Args:
        network: Whether it may open connections.
        forks: Whether it is the one that forks for each request and runs no line of the script itself;
            ``filter_fork`` then takes from its forks what it needs for that.

    Raises:
        OSError: The kernel has no such filters, or they are forbidden here.
    """
    program = _Program()
    program.refuse_younger()
    for name in _DENIED:
        if not (forks and name == "fork"):
            program.refuse(name)
    program.refuse("clone3", _ENOSYS)
    program.refuse("openat2", _ENOSYS)
    program.judge("open", _no_bits(1, _WRITING))
    program.judge("openat", _no_bits(2, _WRITING))
    program.judge("fcntl", _none_of(1, _BAD_FCNTLS))
    program.judge("ioctl", _one_of(1, _SAFE_IOCTLS))
    program.judge("socketpair", [*_needs(0, (1,)), *_one_of(1, (1,), 0xF)])
    _judge_sockets(program, network=network)
    if forks:
        program.judge("clone", _one_of(0, _FORK_FLAGS))
    else:
        _judge_processes(program)
    program.install()


def _judge_sockets(program: _Program, *, network: bool) -> None:
    if network:
        program.judge("socket", [*_needs(0, (2, 10)), *_needs(1, (1, 2), 0xF), *_one_of(2, (0, 6, 17))])
        return
    for name in ("socket", "connect", "sendmsg", "sendmmsg"):
        program.refuse(name)
    program.judge("sendto", _is_null(4))


def _judge_processes(program: _Program) -> None:
    """Refuse forks, threads, signals to others and other limits."""
    own = (os.getpid(),)
    for name in ("fork", "vfork", "clone", "prctl", "seccomp", "setrlimit", "tkill"):
        program.refuse(name)
    program.judge("kill", _one_of(0, own))
    program.judge("tgkill", _one_of(0, own))
    program.judge("prlimit64", [*_needs(0, (0, *own)), *_is_null(2)])


def filter_fork() -> None:
    """Take from a fork what its parent could do: forks, signals, limits.

    Raises:
        OSError: The kernel has no such filters, or they are forbidden here.
    """
    program = _Program()
    program.refuse("clone3", _ENOSYS)
    _judge_processes(program)
    program.install()
