#!/usr/bin/env python3
"""Sets the project up on the first call, then works in its own environment.

    python3 book.py build        run the notebooks, build the book (quick profile, CPU)
    python3 book.py test         run the tests
    python3 book.py --help       everything else

Standard library only, and syntax that Python 3.7 can read, so that an old
python3 gets as far as the sentence that says what to install.
"""

import contextlib
import hashlib
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
PINS = ROOT / "requirements.txt", ROOT / "requirements.lock.txt", ROOT / "pyproject.toml"
OLDEST, NEWEST = (3, 11), (3, 13)


def interpreter():
    """A Python the pins support: this one, else the newest that answers on PATH."""
    if OLDEST <= sys.version_info[:2] <= NEWEST:
        # the Python beneath, when this one is the environment about to be replaced
        return getattr(sys, "_base_executable", None) or sys.executable
    for minor in range(NEWEST[1], OLDEST[1] - 1, -1):
        found = shutil.which(f"python3.{minor}")
        # a version manager's shim may be on PATH without the version behind it
        if found and subprocess.call([found, "-c", ""], stderr=subprocess.DEVNULL) == 0:
            return found
    sys.exit(
        f"book.py: this is Python {sys.version_info[0]}.{sys.version_info[1]} and no Python 3.11, "
        "3.12 or 3.13 is on PATH; please install one and run the command again."
    )


def digest():
    """Of the pins."""
    return hashlib.sha256(b"".join(pin.read_bytes() for pin in PINS)).hexdigest()


@contextlib.contextmanager
def alone():
    """One set-up at a time: a second waits, and then finds the work of the first done."""
    folder = os.open(str(ROOT), os.O_RDONLY) if fcntl else None
    try:
        if fcntl:
            with contextlib.suppress(OSError):  # a file system without locks
                wait_for(folder)
        yield
    finally:
        if fcntl:
            os.close(folder)  # and the lock with it


def wait_for(folder):
    """The lock on a folder that is open; says so where another holds it."""
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        print("book.py: another book.py is installing here; waiting until it is done", flush=True)
        fcntl.flock(folder, fcntl.LOCK_EX)


def wanted():
    """What the mark of a finished set-up says: the pins, and this folder, whose path scripts in
    .venv/bin hold."""
    return digest() + " " + str(ROOT)


def found():
    """What the mark says."""
    mark = VENV / "installed"
    return mark.read_text() if mark.exists() and PYTHON.exists() else ""


def set_up():
    """Make .venv, unless it is there."""
    if found() == wanted():
        return
    with alone():
        if found() != wanted():
            install()


def install():
    """Fill .venv; when only pins changed, change those packages: others may be running in it."""
    mark = VENV / "installed"
    spare_another()
    print("book.py: installing the pinned packages into .venv, once (a few minutes)", flush=True)
    pip = upgrade() if found().endswith(" " + str(ROOT)) else create(mark)
    pip = pip + ["install", "-qq", "--disable-pip-version-check"]
    for what in (["-r", str(PINS[0])], ["--no-deps", "--no-build-isolation", "-e", str(ROOT)]):
        if subprocess.call(pip + what) != 0:
            sys.exit("book.py: the installation failed (see above); run it again to retry.")
    mark.write_text(wanted())


def spare_another():
    """A .venv that is a link may lead to the environment of another checkout: do not empty that."""
    owner = Path(found().partition(" ")[2] or str(ROOT))
    if owner != ROOT and VENV.is_symlink() and (owner / VENV.name).resolve() == VENV.resolve():
        sys.exit(
            f"book.py: {VENV} is a link to the environment of {owner}, which this set-up would "
            f"empty. Remove the link (rm {VENV}) and run the command again."
        )


def create(mark):
    """An empty environment; returns the pip that fills it."""
    if mark.exists():
        mark.unlink()  # written last: an interrupted install is repeated from here
    python = interpreter()
    make = [python, "-m", "venv", "--clear", str(VENV)]
    if subprocess.call(make, stdout=subprocess.DEVNULL) == 0:
        return [str(PYTHON), "-m", "pip"]
    # Debian and Ubuntu without python3-venv
    print("book.py: that Python cannot put pip into .venv; using its own pip", flush=True)
    subprocess.check_call(make + ["--without-pip"])
    return [python, "-m", "pip", "--python", str(PYTHON)]


def upgrade():
    """The pip of the environment that is there; a failed upgrade is repeated, as its mark stays."""
    own = [str(PYTHON), "-m", "pip"]
    if subprocess.call(own + ["--version"], stdout=subprocess.DEVNULL) == 0:
        return own
    return [interpreter(), "-m", "pip", "--python", str(PYTHON)]


def hand_over(command):
    """Become `command`; on Windows, which cannot, wait for it and pass its exit code on."""
    os.chdir(str(ROOT))
    if os.name != "nt":
        os.execv(command[0], command)
    # Ctrl-C reaches both; the one below cleans up, so here it must do nothing
    signal.signal(signal.SIGINT, lambda *_: None)
    sys.exit(subprocess.call(command))


if __name__ == "__main__":
    try:
        set_up()
        hand_over([str(PYTHON), "-m", "foqus_lib.cli"] + sys.argv[1:])
    except KeyboardInterrupt:
        sys.exit(130)
