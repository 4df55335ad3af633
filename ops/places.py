"""Says where the servers of a developer's machine live, so that every command finds them.

The settings import this module, so it needs nothing of Django.
"""

import hashlib
import os
import pwd
import shutil
import stat
from pathlib import Path
from typing import Any

SOCKET_PATH_LIMIT = 107
LONGEST_SOCKET_NAME = len("/.s.PGSQL.5432.lock")


def unprivileged_account() -> pwd.struct_passwd:
    """The account that runs PostgreSQL, which refuses to run as root."""
    if os.geteuid():
        return pwd.getpwuid(os.geteuid())
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise RuntimeError("No account 'postgres' or 'nobody' exists to run PostgreSQL: set DATABASE_URL.")


def reachable(path: Path, account: pwd.struct_passwd) -> bool:
    """Whether the account may pass through every folder down to this path (its own groups aside)."""
    if account.pw_uid == os.geteuid():
        return True
    for folder in (path, *path.parents):
        if not folder.exists():
            continue
        status = folder.stat()
        if status.st_uid == account.pw_uid:
            needed = 0o100
        elif status.st_gid == account.pw_gid:
            needed = 0o010
        else:
            needed = 0o001
        if folder.is_dir() and not status.st_mode & needed:
            return False
    return True


def become(account: pwd.struct_passwd) -> dict[str, Any]:
    """The arguments of subprocess that change to this account, when we are somebody else."""
    if account.pw_uid == os.geteuid():
        return {}
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


def private_folder(folder: Path, account: pwd.struct_passwd) -> None:
    """Make a folder of mode 0700 for the account; a folder that belongs to somebody else is refused."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.mkdir(mode=0o700, exist_ok=True)
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid not in (os.geteuid(), account.pw_uid):
        raise PermissionError(f"{folder} belongs to somebody else: remove it, or set DATABASE_URL and REDIS_URL.")
    if status.st_uid != account.pw_uid:
        os.chown(folder, account.pw_uid, account.pw_gid)
    folder.chmod(0o700)


def readable_programs(bindir: Path, copy: Path, account: pwd.struct_passwd) -> Path:
    """The programs' folder, or that of a copy when the account cannot reach them (a checkout under /root)."""
    if reachable(bindir, account):
        return bindir
    installation = bindir.parent
    target = copy / installation.parent.name / installation.name
    if not (copy / "complete").exists():
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(installation, target, symlinks=True)
        # A wheel keeps its shared libraries beside the package, and its programs look for them there.
        libraries = installation.parent.with_name(installation.parent.name + ".libs")
        if libraries.is_dir():
            shutil.copytree(libraries, copy / libraries.name, symlinks=True)
        (copy / "complete").touch()
    return target / bindir.name


def _short_name(path: Path) -> str:
    return "obhut-" + hashlib.sha256(str(path).encode()).hexdigest()[:10]


def state_folder(var_folder: Path) -> Path:
    """`var/`, or a folder under /var/lib when root owns a checkout that PostgreSQL's account cannot enter."""
    if reachable(var_folder, unprivileged_account()):
        return var_folder
    return Path("/var/lib") / _short_name(var_folder)


def socket_folder(state: Path) -> Path:
    """A folder whose socket paths stay under the limit of the operating system."""
    folder = state / "run"
    if len(os.fsencode(folder)) + LONGEST_SOCKET_NAME < SOCKET_PATH_LIMIT:
        return folder
    return Path("/tmp") / f"{_short_name(state)}-{os.geteuid()}"  # noqa: S108 - made with mode 0700, its owner checked
