"""Start, join and stop the server. Several processes share one; none of them has to outlive it.

Three files are locked with flock(2), which the kernel undoes when the last holder dies, however
it dies. Nothing is concluded from process ids, which get reused and which zombies keep.

`turn`    exclusively, by a process that starts, joins or stops. So no process joins a server that
          another one is about to stop, but waits, finds none running, and starts one.
`users`   shared, by every process that uses the server, from its joining to its leaving. The one
          that can lock it exclusively on leaving is the last, and stops the server.
`server`  shared, by the server's own processes, which inherit the locked file. While it cannot
          be locked exclusively, a server or some remainder of one is alive; once it can be, a
          postmaster.pid that is still there is stale.

The second and third are only ever taken in the turn of the first, so that no order of theirs
can deadlock. A client killed in its turn leaves a server that is starting or stopping: the next
one waits until that answers or has gone.
"""

from __future__ import annotations

import ctypes
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Self

from psycopg.conninfo import make_conninfo
from psycopg.pq import PGconn, Ping

from generator.embedded import binaries as programs
from generator.embedded import folders
from generator.embedded.account import Account, environment
from generator.embedded.errors import OWN_SERVER, EmbeddedServerError
from generator.embedded.folders import HOME_VARIABLE, NAME, PORT

if sys.platform != "win32":
    import fcntl

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from types import TracebackType

PATIENCE = 120.0  # seconds; a start may have to recover from a crash first
PR_SET_PDEATHSIG = 1  # of linux/prctl.h
PAUSE = 0.02  # seconds between two looks at what nothing tells us about
LAST_LINES = 12  # of the log, shown when the server does not start
FORGETFUL = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}


class EmbeddedServer:
    """A context manager around a server that it starts, or joins, and stops when it is the last.

    `base` is the folder of the server's data, log and locks; `version` is that of PostgreSQL.

    Persistent (the default): `base` is a subfolder, named after the major version, of the given
    folder or of the user's own; data is durable, and processes that name the same folder share
    the server. The `settings` (of postgresql.conf) that count are those of the one that starts it.

    Ephemeral: `base` is a new folder in the given one or the system's for temporary files,
    removed with all data on leaving. The server trades durability for speed. On Linux it also
    dies with the thread that entered it, even if that is killed (the folder then remains).

    Raises EmbeddedServerError, when made or when entered.
    """

    def __init__(
        self,
        base: Path | None = None,
        *,
        binaries: Path | None = None,
        ephemeral: bool = False,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        self._binaries = (binaries or programs.of_the_wheel()).absolute()
        self.version = programs.version(self._binaries)
        self._ephemeral = ephemeral
        self._settings = {**(FORGETFUL if ephemeral else {}), **(settings or {})}
        self._process: subprocess.Popen[bytes] | None = None
        self._is_kept = False
        if ephemeral:
            folder = base or Path(tempfile.gettempdir())
            self.base = folder.absolute() / f"{NAME}-{secrets.token_hex(8)}"
        else:
            self.base = (base or folders.home()).absolute() / self.version.split(".")[0]

    @property
    def log(self) -> Path:
        """Return the file that the server writes its log to, anew from each start."""
        return self.base / "log"

    def dsn(self, dbname: str = "postgres") -> str:
        """Return the connection string of a database, as the server's superuser."""
        return make_conninfo(
            host=str(folders.of_socket(self.base)), port=PORT, user="postgres", dbname=dbname
        )

    def keep(self) -> str:
        """Let the server run on when its last user has gone; return the command that stops it."""
        self._is_kept = True
        pid = (self._data / "postmaster.pid").read_text().split()[0]
        return f"kill -INT {pid}"

    def __enter__(self) -> Self:
        with self._explained():
            self._account = Account.choose(self._data)
            folders.make(self.base)
            with self._locked("turn", fcntl.LOCK_EX):
                self._share = self._open("users")
                try:
                    fcntl.flock(self._share, fcntl.LOCK_SH)
                    self._join()
                except BaseException:
                    self._leave()
                    raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._explained(), self._locked("turn", fcntl.LOCK_EX):
            self._leave()

    def _join(self) -> None:
        """Wait for a server that is there to answer; start one when there is none."""
        started = False
        for _ in self._moments("does not answer"):
            if self._answers():
                return
            if self._has_gone():
                if started:
                    raise self._failure("does not start")
                self._start()
                started = True

    def _leave(self) -> None:
        """Give up our share; the last process stops the server, unless it is kept."""
        try:
            if self._is_last() and not self._is_kept:
                self._stop()
                if self._ephemeral:
                    shutil.rmtree(self.base)
            elif self._process is not None:
                self._process.returncode = 0  # our child, but no longer ours to wait for
        finally:
            fcntl.flock(self._share, fcntl.LOCK_UN)  # also where a forked child has it open
            self._share.close()

    def _is_last(self) -> bool:
        """Tell whether no other process uses the server."""
        try:
            fcntl.flock(self._share, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _start(self) -> None:
        """Start a server process, which need not answer yet. No other may be alive."""
        if self._account.is_switched:
            self._see_that_account_can_work()
        if not self._data.exists():
            self._initialise()
        (self._data / "postmaster.pid").unlink(missing_ok=True)
        folders.remove_of_socket(self.base)
        sockets = str(folders.make_for_socket(self.base, self._account)).replace('"', '""')
        settings = {
            **self._settings,
            "listen_addresses": "",
            "port": str(PORT),
            "unix_socket_directories": f'"{sockets}"',
        }
        options = [f"--{name}={value}" for name, value in settings.items()]
        self._spawn(self._binaries / "postgres", "-D", self._data, *options)

    def _spawn(self, *command: str | Path) -> None:
        if self.log.exists():
            self.log.replace(self.base / "log.previous")
        self.log.touch(mode=0o600)
        with self.log.open("wb") as log, self._open("server") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH)
            self._process = subprocess.Popen(
                command,
                user=self._account.user,
                group=self._account.group,
                extra_groups=self._account.groups,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=[lock.fileno()],
                start_new_session=True,  # an interrupt at the terminal is ours, not the server's
                preexec_fn=_die_with_owner() if self._ephemeral else None,
                cwd="/",
                env=environment(),
            )

    def _stop(self) -> None:
        """Stop the server, at once but cleanly, and wait until its last process has gone."""
        for _ in self._moments("does not stop"):
            if self._has_gone():
                break
            # One that is only just starting has not written its id yet: look again. As the
            # account, not as root, because the account might write any other process's id there.
            with suppress(FileNotFoundError, IndexError):
                pid = (self._data / "postmaster.pid").read_text().split()[0]
                self._account.run("/bin/sh", "-c", 'kill -INT "$1"', "sh", pid)
        folders.remove_of_socket(self.base)
        if self._process is not None:
            self._process.wait()
            self._process = None

    def _initialise(self) -> None:
        """Make the data folder; it has its name only once it is whole."""
        for left in self.base.glob("data-*"):
            shutil.rmtree(left, ignore_errors=True)
        folder = Path(tempfile.mkdtemp(prefix="data-", dir=self.base))
        self._account.own(folder)
        options = ["--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C"]
        if self._ephemeral:
            options.append("--no-sync")
        done = self._account.run(self._binaries / "initdb", *options, "-D", folder)
        if done.returncode != 0:
            shutil.rmtree(folder, ignore_errors=True)
            raise EmbeddedServerError(
                f"cannot make a database in {self.base}:\n{_last_lines(done.stdout)}",
                hint=f"choose another folder with {HOME_VARIABLE}, {OWN_SERVER}",
            )
        folder.rename(self._data)

    def _see_that_account_can_work(self) -> None:
        if not self._account.can_enter(self.base):
            raise EmbeddedServerError(
                f"the account {self._account.name}, which runs the server for root, may not enter"
                f" {self.base}",
                hint=f"choose a folder that it can reach with {HOME_VARIABLE}, {OWN_SERVER}",
            )
        self._binaries = programs.for_account(self._account, self._binaries, self.base)

    @property
    def _data(self) -> Path:
        return self.base / "data"

    def _answers(self) -> bool:
        return PGconn.ping(make_conninfo(self.dsn(), connect_timeout=5).encode()) == Ping.OK

    def _has_gone(self) -> bool:
        """Say whether no process of a server is alive, be it a backend that outlived the rest."""
        try:
            with self._locked("server", fcntl.LOCK_EX | fcntl.LOCK_NB):
                return True
        except BlockingIOError:
            return False

    def _open(self, name: str) -> IO[bytes]:
        return (self.base / f"{name}.lock").open("ab")

    @contextmanager
    def _locked(self, name: str, how: int) -> Iterator[None]:
        with self._open(name) as file:
            try:
                fcntl.flock(file, how)
                yield
            finally:
                fcntl.flock(file, fcntl.LOCK_UN)  # also where a forked child has it open

    def _moments(self, complaint: str) -> Iterator[None]:
        """Give one moment after the other to look at the server in, as long as patience lasts."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            yield
            time.sleep(PAUSE)
        raise self._failure(complaint)

    def _failure(self, complaint: str) -> EmbeddedServerError:
        text = self.log.read_text(errors="replace") if self.log.exists() else ""
        return EmbeddedServerError(
            f"the server in {self.base} {complaint}; the end of its log:\n{_last_lines(text)}",
            hint=f"choose another folder with {HOME_VARIABLE}, {OWN_SERVER}",
        )

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise EmbeddedServerError(
                f"cannot keep a server in {self.base}: {error}",
                hint=f"choose another folder with {HOME_VARIABLE}, {OWN_SERVER}",
            ) from error


def _die_with_owner() -> Callable[[], object]:
    """Return what has the kernel interrupt this process when its owner dies, on Linux."""
    if sys.platform != "linux":
        return lambda: None
    library = ctypes.CDLL(None)
    return lambda: library.prctl(PR_SET_PDEATHSIG, signal.SIGINT)


def _last_lines(text: str) -> str:
    return "\n".join(text.strip().splitlines()[-LAST_LINES:])
