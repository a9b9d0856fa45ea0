"""Why a store cannot be opened is said in a sentence, with what to do."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from engine.cli.life import persevere
from engine.errors import StoreError, StoreUnavailable
from engine.store.store import Store

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="mounting takes root")


def _mounted(folder: Path, options: str) -> None:
    folder.mkdir(exist_ok=True)
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], capture_output=True, check=False)
    if done.returncode:
        pytest.skip(f"this machine mounts nothing: {done.stderr.decode().strip()}")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 2 MB."""
    folder = tmp_path / "disk"
    _mounted(folder, "size=2m,mode=700")
    yield folder
    subprocess.run(["umount", folder], check=True)


def fill(folder: Path) -> Path:
    """Leave no room on a disk; return the file that takes it."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file:
        for size in (65_536, 4_096, 1):
            try:
                while True:
                    file.write(b"x" * size)
            except OSError:
                pass
    return filler


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"the folder '.*/no/such' does not exist; make it, or name another file"):
        Store(f"sqlite:///{tmp_path}/no/such/lapse.db")


def test_a_folder_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match=r"'.*/file' is no folder; name another file"):
        Store(f"sqlite:///{tmp_path}/file/lapse.db")


def test_a_folder_in_the_place_of_the_file(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"is a folder; name a file in it"):
        Store(f"sqlite:///{tmp_path}")


@pytest.mark.parametrize("content", [b"text", b"not a database, but long enough to look like one" * 100])
def test_a_file_that_is_no_database(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(StoreError, match=r"is no SQLite database; name another file"):
        Store(f"sqlite:///{path}")
    assert path.read_bytes() == content


def test_links_that_lead_in_a_circle(path: Path) -> None:
    path.symlink_to(path.with_name("other"))
    path.with_name("other").symlink_to(path)
    with pytest.raises(StoreError, match="circle"):
        Store(f"sqlite:///{path}")


def test_a_name_that_is_too_long(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="its name is too long"):
        Store(f"sqlite:///{tmp_path}/{'x' * 300}.db")


def _own(path: Path) -> None:
    path.chmod(0o600)


def _own_folder(path: Path) -> None:
    path.parent.chmod(0o500)


@pytest.mark.parametrize("keep", [_own, _own_folder])
def test_files_of_somebody_else(path: Path, monkeypatch: pytest.MonkeyPatch, keep: Callable[[Path], None]) -> None:
    """Root may do everything, so that what the system says to others is put in its place."""
    Store(f"sqlite:///{path}").close()
    keep(path)
    kept = path if keep is _own else path.parent
    monkeypatch.setattr(os, "access", lambda one, _mode: Path(one) != kept)

    def refuse(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(StoreError, match=rf"no permission to write '{kept}', which belongs to user \d+"):
        Store(f"sqlite:///{path}")


@as_root
def test_a_disk_that_is_mounted_read_only(disk: Path) -> None:
    Store(f"sqlite:///{disk}/lapse.db").close()
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
    with pytest.raises(StoreError, match="mounted read-only"):
        Store(f"sqlite:///{disk}/lapse.db")


@as_root
@pytest.mark.parametrize("state", ["new", "closed", "in use"])
def test_a_full_disk(disk: Path, state: str) -> None:
    url = f"sqlite:///{disk}/lapse.db"
    first = None if state == "new" else Store(url)
    if state == "closed":
        assert first is not None
        first.close()
    filler = fill(disk)
    if state == "in use":
        Store(url).close()  # what others have made already takes no room
    else:
        with pytest.raises(StoreUnavailable, match="the disk is full: ") as refused:
            Store(url)
        assert refused.value.is_of_disk
    filler.unlink()
    Store(url).close()
    if first is not None:
        first.close()


@as_root
def test_a_start_on_a_full_disk_goes_on_when_there_is_room(disk: Path) -> None:
    filler = fill(disk)
    waited = []

    def wait(seconds: float) -> None:
        waited.append(seconds)
        if len(waited) == 2:
            filler.unlink()

    persevere(lambda: Store(f"sqlite:///{disk}/lapse.db"), wait).close()
    assert len(waited) == 2


def test_a_start_does_not_wait_for_what_does_not_pass(path: Path) -> None:
    path.write_bytes(b"text")
    with pytest.raises(StoreError, match="no SQLite database"):
        persevere(lambda: Store(f"sqlite:///{path}"), pytest.fail)
