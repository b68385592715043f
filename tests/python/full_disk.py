"""Trains on disks that are full, too small or read-only, and checks what is left and what becomes of it.

    python tests/python/full_disk.py                         (./dev soak disk)

Each disk is a tmpfs in a mount namespace of its own, so nothing outside sees it and nothing has to be
unmounted. On one of each size, from a few kilobytes on, `digitnet train --run DIR` must end with exit code 1
and one line that says so, leave whole checkpoints and no half-written file; given room, the run goes on (or
begins anew, if there was no checkpoint) to the bytes of the unbroken one. Likewise after the disk has become
read-only. Exit codes: 0 all well, 1 not, 77 skipped: such disks cannot be made here.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from kill_training import (
    LONGEST,
    LostError,
    begin,
    check,
    checkpoints_of,
    finish,
    go_on,
    names_in,
    require,
    require_clean,
)

SIZES = [8, 16, 64, 256, 512, 768, *range(1024, 6144, 512)]  # KiB
ROOM = "256m"


def mount(folder: Path, options: str, *, anew: bool) -> None:
    kind = ["-t", "tmpfs", "-o", options, "digitnet-test"] if anew else ["-o", f"remount,{options}"]
    subprocess.run(["mount", *kind, str(folder)], check=True)


def is_refused(command: list[str], reason: str) -> bool:
    """Runs a command: False if it came to its end, else it must say in one line that the disk refused."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=LONGEST, check=False)
    if done.returncode == 0:
        return False
    what = f"{' '.join(command[3:5])} ended with {done.returncode}: {done.stderr[-500:]}"
    require(done.returncode in ((1,) if "train" in command else (1, 3)), what)  # 3: the run as an input
    require(done.stderr.count("\n") == 1 and reason in done.stderr, what)
    return True


def require_no_leftovers(run: Path) -> None:
    left = [
        name for folder in (run, run / "checkpoints") for name in names_in(folder) if name.startswith(".")
    ]
    require(not left, f"left behind: {', '.join(left)}")


def try_sizes(disk: Path, unbroken: Path) -> None:
    for size in SIZES:
        mount(disk, f"size={size}k", anew=True)
        run, output = disk / "run", disk / "model.safetensors"
        refused = is_refused(begin(run, output), "No space left on device")
        require(refused or output.read_bytes() == unbroken.read_bytes(), f"{size} KiB: another model")
        newest = check(run, -1, behind=2)  # one more: the next checkpoint is where a failed one is told
        require_no_leftovers(run)
        require(refused or newest >= 0, f"{size} KiB: no checkpoint")
        mount(disk, f"size={ROOM}", anew=False)
        finish(go_on(run, output) if newest >= 0 else begin(run, output))
        require(output.read_bytes() == unbroken.read_bytes(), f"{size} KiB, then room: another model")
        require_clean(run)
        subprocess.run(["umount", str(disk)], check=True)
        said = f"refused, newest checkpoint {newest}" if refused else "large enough"
        print(f"{size:>6} KiB: {said}; then the bytes of the unbroken run", flush=True)
        if not refused:
            return
    msg = f"no disk of up to {SIZES[-1]} KiB was large enough"
    raise LostError(msg)


def try_read_only(disk: Path, unbroken: Path) -> None:
    mount(disk, f"size={ROOM}", anew=True)
    run, output, elsewhere = (
        disk / "run",
        disk / "model.safetensors",
        unbroken.with_name("elsewhere.safetensors"),
    )
    mount(disk, "ro", anew=False)
    require(is_refused(begin(run, elsewhere), "Read-only file system"), "trained on a read-only disk")
    require(
        is_refused(begin(unbroken.with_name("other"), output), "cannot be written"),
        "wrote to a read-only disk",
    )
    require(not run.exists(), "something on a read-only disk")
    mount(disk, "rw", anew=False)
    with subprocess.Popen(
        begin(run, output), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        while process.poll() is None and max(checkpoints_of(run), default=0) < 2:
            pass
        process.kill()
    newest = check(run, -1)
    files = sorted(run.rglob("*"))
    mount(disk, "ro", anew=False)
    require(is_refused(go_on(run, elsewhere), "Read-only file system"), "went on, on a read-only disk")
    require(check(run, newest) == newest and sorted(run.rglob("*")) == files, "changed on a read-only disk")
    mount(disk, "rw", anew=False)
    finish(go_on(run, output))
    require(output.read_bytes() == unbroken.read_bytes(), "read-only, then not: another model")
    require_clean(run)
    print("read-only: refused, unchanged; then the bytes of the unbroken run", flush=True)


def main() -> int:
    if "DIGITNET_TEST_DISK" not in os.environ:  # once more, with mounts of our own
        own = (
            ["unshare", "--mount"]
            if os.geteuid() == 0
            else ["unshare", "--user", "--map-root-user", "--mount"]
        )
        probe = 'mount -t tmpfs -o size=64k none "$1"'
        with tempfile.TemporaryDirectory() as folder:
            try:
                tried = subprocess.run(
                    [*own, "sh", "-c", probe, "sh", folder], capture_output=True, check=False
                )
                reason = tried.stderr.decode(errors="replace").strip() if tried.returncode != 0 else ""
            except FileNotFoundError as error:
                reason = str(error)
        if reason:
            print(f"skipped: full_disk.py: no disk of our own can be mounted here ({reason})")
            return 77
        environment = {**os.environ, "DIGITNET_TEST_DISK": "1"}
        return subprocess.run([*own, sys.executable, __file__], env=environment, check=False).returncode
    with tempfile.TemporaryDirectory(prefix="digitnet-disk-") as work:
        disk, unbroken = Path(work) / "disk", Path(work) / "unbroken.safetensors"
        disk.mkdir()
        finish(begin(Path(work) / "unbroken", unbroken))
        try:
            try_sizes(disk, unbroken)
            try_read_only(disk, unbroken)
        except LostError as lost:
            print(f"LOST: {lost}")
            return 1
        finally:
            subprocess.run(["umount", "--quiet", str(disk)], check=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
