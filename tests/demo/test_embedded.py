"""The embedded server, with real processes that share it and real kills."""

from __future__ import annotations

import fcntl
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict
from psycopg.pq import PGconn, Ping

from generator.embedded import EmbeddedServer, EmbeddedServerError, binaries, folders

if TYPE_CHECKING:
    from collections.abc import Iterator

PROJECT = Path(__file__).parents[2]
IS_ROOT = os.geteuid() == 0
PATIENCE = 60.0  # seconds until a test gives up on a server

USE = """
import sys
from pathlib import Path
from generator.embedded import EmbeddedServer

base, *options = sys.argv[1:]
with EmbeddedServer(Path(base), ephemeral="ephemeral" in options) as server:
    print(server.dsn(), flush=True)
    sys.stdin.read()
"""

COME_AND_GO = """
import sys
from pathlib import Path
import psycopg
from generator.embedded import EmbeddedServer

for _ in range(8):
    with EmbeddedServer(Path(sys.argv[1])) as server, psycopg.connect(server.dsn()) as connection:
        connection.execute("INSERT INTO visits DEFAULT VALUES")
"""

FORK = """
import os, sys
from pathlib import Path
from generator.embedded import EmbeddedServer

with EmbeddedServer(Path(sys.argv[1])):
    if os.fork() == 0:
        sys.stdin.read()
        os._exit(0)
print("left", flush=True)
sys.stdin.read()
"""

BE_INTERRUPTED = """
import signal, sys
from pathlib import Path
from generator.embedded import EmbeddedServer

server = EmbeddedServer(Path(sys.argv[1]))
signal.signal(signal.SIGALRM, signal.default_int_handler)
signal.setitimer(signal.ITIMER_REAL, float(sys.argv[2]))
try:
    with server:
        signal.pause()
except KeyboardInterrupt:
    print("interrupted", flush=True)
sys.stdin.read()
"""

ENTER_WITHOUT_AN_ACCOUNT = """
import os, sys
from pathlib import Path
from generator.embedded import EmbeddedServer, EmbeddedServerError

server = EmbeddedServer(Path(sys.argv[1]))
os.setgroups([])
os.setresgid(54321, 54321, 54321)
os.setresuid(54321, 54321, 54321)
try:
    server.__enter__()
except EmbeddedServerError as error:
    print(error, flush=True)
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    """Give a folder in which root's server, too, may work; pytest's own are closed to it."""
    path = Path(tempfile.mkdtemp(prefix="rollups-test-"))
    path.chmod(0o711 if IS_ROOT else 0o700)
    yield path
    for left in path.glob("**/18/data/postmaster.pid"):
        with EmbeddedServer(left.parents[2]):
            pass
    shutil.rmtree(path)


@contextmanager
def process(script: str, folder: Path, *options: str) -> Iterator[subprocess.Popen[str]]:
    """Run a script beside this test; it goes on until its input ends."""
    with subprocess.Popen(
        [sys.executable, "-c", script, str(folder), *options],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=PROJECT,
    ) as running:
        yield running


def line(running: subprocess.Popen[str]) -> str:
    """Wait for a line of a process's output."""
    assert running.stdout is not None
    return running.stdout.readline().rstrip("\n")


def finish(running: subprocess.Popen[str]) -> None:
    running.communicate(timeout=PATIENCE)
    assert running.returncode == 0


def answers(dsn: str) -> bool:
    return PGconn.ping(dsn.encode()) == Ping.OK


def start_time(dsn: str) -> object:
    with psycopg.connect(dsn) as connection:
        return connection.execute("SELECT pg_postmaster_start_time()").fetchone()


def postmaster(server: EmbeddedServer) -> int:
    return int((server.base / "data" / "postmaster.pid").read_text().split()[0])


def held_locks(base: Path) -> set[str]:
    """Return which of the server's locks are held."""
    held = set()
    for path in base.glob("*.lock"):
        with path.open("ab") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                held.add(path.stem)
    return held


def test_two_processes_share_a_server_and_the_last_one_stops_it(folder: Path) -> None:
    with process(USE, folder) as first, process(USE, folder) as second:
        dsn = line(first)
        assert line(second) == dsn
        finish(first)
        assert answers(dsn)
        finish(second)
    assert not answers(dsn)
    assert held_locks(folder / "18") == set()


def test_six_cold_starts_at_once_give_one_server(folder: Path) -> None:
    with ExitStack() as stack:
        clients = [stack.enter_context(process(USE, folder)) for _ in range(6)]
        dsns = {line(client) for client in clients}
        assert len({(dsn, start_time(dsn)) for dsn in dsns}) == 1
        for client in clients:
            finish(client)
    assert not answers(dsns.pop())


def test_a_process_that_comes_while_the_last_one_leaves_always_finds_a_server(folder: Path) -> None:
    with EmbeddedServer(folder) as server, psycopg.connect(server.dsn()) as connection:
        connection.execute("CREATE TABLE visits (id serial)")
    with ExitStack() as stack:
        for visitor in [stack.enter_context(process(COME_AND_GO, folder)) for _ in range(4)]:
            finish(visitor)
    with EmbeddedServer(folder) as server, psycopg.connect(server.dsn()) as connection:
        assert connection.execute("SELECT count(*) FROM visits").fetchone() == (32,)


def test_data_survives_a_restart_and_is_written_durably(folder: Path) -> None:
    with EmbeddedServer(folder) as server, psycopg.connect(server.dsn()) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 'é' AS word")
        assert connection.execute("SHOW fsync").fetchone() == ("on",)
    with EmbeddedServer(folder) as server, psycopg.connect(server.dsn()) as connection:
        assert connection.execute("TABLE kept").fetchone() == ("é",)


def test_a_killed_client_holds_nothing_and_the_next_one_stops_its_server(folder: Path) -> None:
    with process(USE, folder) as client:
        dsn = line(client)
        client.kill()
    since = start_time(dsn)
    with EmbeddedServer(folder) as server:
        assert server.dsn() == dsn
        assert start_time(dsn) == since
    assert not answers(dsn)


def test_a_client_killed_while_others_use_the_server_changes_nothing(folder: Path) -> None:
    with process(USE, folder) as client:
        line(client)
        with EmbeddedServer(folder) as server:
            since = start_time(server.dsn())
            client.kill()
            client.wait()
            assert start_time(server.dsn()) == since


def test_a_killed_server_is_started_again_with_all_that_was_committed(folder: Path) -> None:
    # The killed server is this process's child and stays a zombie, its id and postmaster.pid
    # in place, which must not keep another process from starting anew.
    with EmbeddedServer(folder) as server:
        with psycopg.connect(server.dsn()) as connection:
            connection.execute("CREATE TABLE kept ()")
        os.kill(postmaster(server), signal.SIGKILL)
        with process(USE, folder) as client:
            dsn = line(client)
            with psycopg.connect(dsn) as connection:
                connection.execute("TABLE kept")
            finish(client)
        assert answers(dsn), "we use it still"
    assert not answers(dsn)


@pytest.mark.parametrize("name", ["x" * 120, "odd, with a comma"])
def test_a_folder_with_a_name_unfit_for_sockets_serves_as_well(folder: Path, name: str) -> None:
    with EmbeddedServer(folder / name) as server:
        sockets = Path(str(conninfo_to_dict(server.dsn())["host"]))
        with process(USE, folder / name) as client:
            assert line(client) == server.dsn()
        assert folder not in sockets.parents
        assert sockets.stat().st_mode & 0o777 == 0o700
        start_time(server.dsn())
    assert not sockets.exists()


def test_only_the_server_account_may_enter_the_folder_of_the_socket(folder: Path) -> None:
    with EmbeddedServer(folder) as server, psycopg.connect(server.dsn()) as connection:
        sockets = Path(connection.info.host)
        assert sockets.stat().st_mode & 0o777 == 0o700
        assert sockets.stat().st_uid == (server.base / "data").stat().st_uid
        assert connection.execute("SHOW listen_addresses").fetchone() == ("",)


def test_an_ephemeral_server_leaves_nothing(folder: Path) -> None:
    with EmbeddedServer(folder, ephemeral=True, settings={"work_mem": "5MB"}) as server:
        with psycopg.connect(server.dsn()) as connection:
            assert connection.execute("SHOW fsync").fetchone() == ("off",)
            assert connection.execute("SHOW work_mem").fetchone() == ("5MB",)
        assert server.base.parent == folder
    assert list(folder.iterdir()) == []


@pytest.mark.skipif(sys.platform != "linux", reason="other systems cannot tell a child")
def test_an_ephemeral_server_dies_with_its_killed_owner(folder: Path) -> None:
    with process(USE, folder, "ephemeral") as owner, psycopg.connect(line(owner)) as connection:
        owner.kill()
        assert select.select([connection], [], [], PATIENCE)[0], "told that the server goes"
        with pytest.raises(psycopg.errors.AdminShutdown):
            connection.execute("SELECT 1")
        with (Path(connection.info.host).parent / "server.lock").open() as file:
            fcntl.flock(file, fcntl.LOCK_EX)  # held by the server's processes until the last ends


def test_a_forked_child_keeps_nothing_locked(folder: Path) -> None:
    with process(FORK, folder) as parent:
        assert line(parent) == "left"
        assert held_locks(folder / "18") == set()
        finish(parent)


@pytest.mark.parametrize("seconds", ["0.005", "0.1", "0.3", "0.5"])
def test_an_interrupted_start_leaves_nothing_locked_or_running(folder: Path, seconds: str) -> None:
    with process(BE_INTERRUPTED, folder, seconds) as interrupted:
        assert line(interrupted) == "interrupted"
        assert held_locks(folder / "18") == set()
        with EmbeddedServer(folder) as server:
            start_time(server.dsn())
        finish(interrupted)


def test_the_folder_may_be_named_in_the_environment(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(folders.HOME_VARIABLE, str(folder))
    server = EmbeddedServer()
    assert server.base == folder / "18"
    assert server.version.startswith("18.")


def test_a_server_that_does_not_start_shows_the_end_of_its_log(folder: Path) -> None:
    with (
        pytest.raises(EmbeddedServerError, match=r'(?s)not start.*"max_connections": "none"'),
        EmbeddedServer(folder, settings={"max_connections": "none"}),
    ):
        pass
    assert held_locks(folder / "18") == set()


def test_a_base_below_a_file_is_refused(folder: Path) -> None:
    (folder / "file").touch()
    with pytest.raises(EmbeddedServerError, match="cannot keep a server in") as caught:
        EmbeddedServer(folder / "file").__enter__()
    assert folders.HOME_VARIABLE in str(caught.value.hint)


@pytest.mark.skipif(IS_ROOT, reason="root may write everywhere")
def test_a_base_that_is_not_writable_is_refused(folder: Path) -> None:
    folder.chmod(0o500)
    with pytest.raises(EmbeddedServerError, match="Permission denied"):
        EmbeddedServer(folder).__enter__()
    folder.chmod(0o700)


@pytest.mark.skipif(not IS_ROOT, reason="only for root does another account run the server")
def test_a_base_that_the_server_account_may_not_enter_is_refused(folder: Path) -> None:
    folder.chmod(0o700)
    with pytest.raises(EmbeddedServerError, match="may not enter"):
        EmbeddedServer(folder).__enter__()
    assert folder.stat().st_mode & 0o777 == 0o700


@pytest.mark.skipif(not IS_ROOT, reason="only for root does another account run the server")
def test_programs_that_the_server_account_cannot_execute_are_copied(
    folder: Path, tmp_path: Path
) -> None:
    closed = binaries.of_the_wheel()
    package = tmp_path / closed.parents[1].name
    tmp_path.chmod(0o700)
    shutil.copytree(closed.parent, package / closed.parent.name, symlinks=True)
    libraries = closed.parents[2] / f"{package.name}.libs"
    if libraries.exists():
        shutil.copytree(libraries, tmp_path / libraries.name)
    with EmbeddedServer(folder, binaries=package / closed.parent.name / "bin") as server:
        start_time(server.dsn())
        assert list(server.base.glob("postgresql-*"))
    assert tmp_path.stat().st_mode & 0o777 == 0o700


@pytest.mark.skipif(not IS_ROOT, reason="only root can become a user without an account")
def test_a_user_without_an_account_is_refused(folder: Path) -> None:
    with process(ENTER_WITHOUT_AN_ACCOUNT, folder) as running:
        assert line(running).startswith("the user id 54321 has no account on this system")


def test_an_installation_without_the_wheel_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(binaries, "WHEEL", "no_such_wheel")
    with pytest.raises(EmbeddedServerError, match="no PostgreSQL comes") as caught:
        EmbeddedServer()
    assert "--database-url" in str(caught.value.hint)


def test_programs_that_do_not_run_are_refused(tmp_path: Path) -> None:
    with pytest.raises(EmbeddedServerError, match="No such file"):
        EmbeddedServer(binaries=tmp_path)
