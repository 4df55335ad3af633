"""Where the embedded servers live: reachable for their account, with short sockets, always the same."""

import os
import pwd
import socket
from pathlib import Path

import pytest

from ops.places import private_folder, reachable, readable_programs, socket_folder, state_folder

STRANGER = pwd.struct_passwd(("stranger", "x", 54321, 54321, "", "/", "/bin/false"))


def _open_folder(path: Path) -> Path:
    """A folder that everybody may enter, for pytest's own are closed."""
    path.mkdir()
    for folder in (path, *path.parents):
        if folder.stat().st_uid == os.geteuid() and folder != Path("/"):
            folder.chmod(folder.stat().st_mode | 0o055)
    return path


def test_a_closed_folder_on_the_way_is_found(tmp_path: Path) -> None:
    outer = _open_folder(tmp_path / "outer")
    inner = outer / "inner"
    inner.mkdir(mode=0o755)
    assert reachable(inner, STRANGER)
    outer.chmod(0o700)
    assert not reachable(inner, STRANGER)


def test_an_account_always_reaches_its_own_state(tmp_path: Path) -> None:
    if os.geteuid():
        assert state_folder(tmp_path / "var") == tmp_path / "var"
    else:
        closed = tmp_path / "closed"
        closed.mkdir(mode=0o700)
        assert state_folder(closed / "var").parent == Path("/var/lib")
        assert state_folder(closed / "var") == state_folder(closed / "var")


@pytest.mark.parametrize("depth", [1, 12])
def test_a_socket_fits_into_the_folder_however_deep_the_checkout_lies(tmp_path: Path, depth: int) -> None:
    state = tmp_path.joinpath(*["a-long-folder-name"] * depth)
    folder = socket_folder(state)
    assert folder == socket_folder(state)
    folder.mkdir(parents=True, exist_ok=True)
    name = folder / ".s.PGSQL.5432"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(name))
    name.unlink()
    folder.rmdir()


def test_a_folder_of_somebody_else_is_refused(tmp_path: Path) -> None:
    target = tmp_path / "real"
    target.mkdir()
    (tmp_path / "run").symlink_to(target)
    with pytest.raises(PermissionError, match="somebody else"):
        private_folder(tmp_path / "run", pwd.getpwuid(os.geteuid()))


def test_programs_out_of_reach_are_copied_once_with_their_libraries(tmp_path: Path) -> None:
    bindir = tmp_path / "wheel" / "pginstall" / "bin"
    bindir.mkdir(parents=True)
    (bindir / "initdb").write_text("first")
    (tmp_path / "wheel.libs").mkdir()
    (tmp_path / "wheel.libs" / "libpq.so").write_text("library")
    (tmp_path / "wheel").chmod(0o700)
    copied = readable_programs(bindir, tmp_path / "copy", STRANGER)
    # $ORIGIN/../../../wheel.libs is where the wheel's programs look.
    assert (copied / "../../../wheel.libs/libpq.so").exists()
    (bindir / "initdb").write_text("second")
    assert readable_programs(bindir, tmp_path / "copy", STRANGER) == copied
    assert (copied / "initdb").read_text() == "first"
