"""Starts a program that ends when its parent does, even by `kill -9`.

    python -I -S child.py PARENT_PID DEATH_SIGNAL USER|- PROGRAM [ARGUMENT...]

On Linux the kernel sends DEATH_SIGNAL when the thread that forked us ends (prctl(2),
PR_SET_PDEATHSIG); elsewhere this just starts the program. A change of user clears that, so it is
set last; and a parent that died before it was set is noticed by its id. A script of its own,
since `preexec_fn` is not safe in a process with threads.

USER is for programs that refuse root. The capability to read every folder stays with them:
root's checkout may lie where others may not look (/root, mktemp -d).
"""

import ctypes
import os
import sys

PR_SET_PDEATHSIG, PR_SET_KEEPCAPS, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE = 1, 8, 47, 2
PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP = 28, 1 << 2
CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH = 1, 2
CAPABILITY_VERSION_3 = 0x20080522


def main() -> None:
    """Prepare this process, then become the program."""
    os.umask(0o077)  # what it writes, as logs and mails, is nobody else's to read
    parent, death_signal, user = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    program = sys.argv[4:]
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        if user != "-":
            become(libc, user)
        libc.prctl(PR_SET_PDEATHSIG, death_signal, 0, 0, 0)
        if os.getppid() != parent:
            sys.exit("The parent has ended.")
    try:
        os.execv(program[0], program)  # noqa: S606 - that is what this script is for
    except OSError as error:
        sys.exit(f"{program[0]} can't be run: {error.strerror}.")


def become(libc: ctypes.CDLL, user: str) -> None:
    """Change to `user`, keeping one capability to get at files, where root has it itself."""
    import pwd  # noqa: PLC0415 - not on every system

    entry = pwd.getpwnam(user)
    libc.prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0)
    # Without it access(2) takes no notice of capabilities, and initdb looks with it for postgres.
    libc.prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP, 0, 0, 0)
    os.setgroups([])
    os.setgid(entry.pw_gid)
    os.setuid(entry.pw_uid)
    for capability in (CAP_DAC_READ_SEARCH, CAP_DAC_OVERRIDE):
        if keep_only(libc, 1 << capability):
            libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0)
            return
    keep_only(libc, 0)


def keep_only(libc: ctypes.CDLL, mask: int) -> bool:
    """Give up all capabilities but those of `mask`; False where it has one that we don't have."""
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
    # effective, permitted, inheritable; for the capabilities 0 to 31, then 32 to 63
    sets = (ctypes.c_uint32 * 6)(mask, mask, mask, 0, 0, 0)
    return bool(libc.capset(header, sets) == 0)


if __name__ == "__main__":
    main()
