"""A disk of half a megabyte for a server of one test's own, which any user may have: a namespace of theirs holds it."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ops.places import become
from tests.private_servers import Postgres

# All but half a megabyte is filled; on a word the filling goes. Nobody outside the namespace sees the disk.
HOLD = """
mount -t tmpfs -o size=64m none "$1" && head -c 66584576 /dev/zero > "$1/filling" || exit 1
echo ready; read -r word
rm "$1/filling"; echo roomy; read -r word
"""
REFUSED = (
    "The kernel gives this user no namespace of their own (`unshare -rm true` fails), so there is no small disk to "
    "fill: allow user namespaces (kernel.unprivileged_userns_clone, kernel.apparmor_restrict_unprivileged_userns)."
)


class NoSmallDisk(Exception):
    """This machine lets nobody mount a disk of their own; the text says what would."""


class SmallDisk:
    """The disk below a folder of a server; only that server, started `within`, sees it."""

    def __init__(self, server: Postgres, place: Path) -> None:
        command = ["unshare", "--map-root-user", "--mount", "sh", "-c", HOLD, "small-disk", str(place)]
        self._account = server.account
        self._holder = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd="/",
            **become(self._account),
        )  # fmt: skip
        if self._heard() != "ready":
            self.close()
            raise NoSmallDisk(REFUSED)

    @property
    def within(self) -> list[str]:
        """What a command begins with that is to see the disk: as the account itself, since PostgreSQL refuses root."""
        return [
            "nsenter", f"--target={self._holder.pid}", "--user", "--mount", "--preserve-credentials",
            "unshare", "--user", f"--map-user={self._account.pw_uid}", f"--map-group={self._account.pw_gid}",
        ]  # fmt: skip

    def make_room(self) -> None:
        """Let the disk be large from here on."""
        assert self._holder.stdin is not None
        self._holder.stdin.write("more\n")
        self._holder.stdin.flush()
        assert self._heard() == "roomy"

    def close(self) -> None:
        """The disk goes with the last process that sees it."""
        if self._holder.stdin is not None:
            self._holder.stdin.close()
        self._holder.wait()
        if self._holder.stdout is not None:
            self._holder.stdout.close()

    def _heard(self) -> str:
        assert self._holder.stdout is not None
        return self._holder.stdout.readline().strip()


@contextmanager
def small_disk_for(server: Postgres, place: Path) -> Iterator[SmallDisk]:
    """The disk, and the server moved to where it is seen. Raises NoSmallDisk."""
    disk = SmallDisk(server, place)
    try:
        server.stop("fast")
        server.within = disk.within
        server.start()
        yield disk
        server.stop()
    finally:
        disk.close()
