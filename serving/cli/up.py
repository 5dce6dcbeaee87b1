"""`moodsearch up`: Dagster's UI and daemon with the sensors on, the API and the search page."""

import fcntl
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import distribution
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.text import Text

from assets.model import refuse_collapsed_model
from pipelines.instance import (
    CODE_SERVER,
    CODE_SERVER_WORKSPACE,
    dagster_instance,
    prepare_dagster,
)
from pipelines.models import begin, begin_by_itself, wanted
from pipelines.runs import fail_unfinished_runs
from resources.backends import Backends
from resources.catalogue.database import SessionLock
from resources.catalogue.model_choice import Choice
from resources.errors import BackendError, MoodSearchError, UserError
from resources.machine.folders import make_private
from resources.machine.postgres import cannot_write
from resources.settings import load_settings
from serving.cli.model_choice import choose_model
from serving.cli.supervisor import Program, Supervisor
from serving.search.query_embedder import embeds_queries_on_modal

_NOISE: Final = (
    "Checking for new runs for sensor",
    "skipped: nothing is pending",
    "that already exist",
    "Priority sorting and checking tag concurrency",
    "MonitoringDaemon - INFO",
    "Launching run for",
    "Completed launch of run",
    "Creating new run for",
    "Collected ",
    "Checking run ",
    "No heartbeat received",
)
"""What the daemon says every few seconds."""

_WORTH_SHOWING: Final = ("RUN_START", "RUN_SUCCESS", "RUN_FAILURE", "STEP_FAILURE")
"""Events of a run, among its debug messages, that tell how it goes; the rest is in Dagster's UI."""

_THREADS: Final = {
    # Linear algebra is on one thread in all of them (`resources.embedding.local`).
    "OPENBLAS_NUM_THREADS": "1",
}

BEGIN_AGAIN_SECONDS: Final = 300
"""Between two attempts to get the files of a model that is wanted."""

UP_LOCK: Final = 0x6D6F6F647570
"""Advisory lock number of the one `up` on a database ("moodup" in ASCII)."""


def run(
    host: str,
    port: int,
    dagster_port: int,
    *,
    dagster_host: str = "127.0.0.1",
    model: Choice | None = None,
    command: str = "moodsearch",
) -> int:
    """Runs until Ctrl-C. Returns the exit code. `dagster_host`: of its own, for whoever reaches
    Dagster's UI may launch runs. `model`: the person's choice from now on. `command`: how this
    program is called here."""
    console = Console()
    settings = load_settings()
    if port == dagster_port != 0:
        raise UserError(f"--port and --dagster-port are both {port}; give each its own")
    _refuse_taken_port(host, port)
    _refuse_taken_port(dagster_host, dagster_port)
    with (
        Backends(settings) as backends,
        _only_one(settings.moodsearch_home),
        _only_one_on_the_database(backends.database_url) as keep_lock,
        # Of ours alone, and with a short name: a socket's may have a hundred characters.
        tempfile.TemporaryDirectory(prefix="moodsearch-") as sockets,
    ):
        backends.audio_model  # noqa: B018  A wrong model is said now, not by four programs.
        try:
            own = backends.live or backends
            refuse_collapsed_model(own, ask=not embeds_queries_on_modal(own.settings))
        except BackendError as error:  # Everything but searches goes on.
            console.print(Text(f"Attention: {error}", style="yellow"), soft_wrap=True)
        environment = {
            **prepare_dagster(backends),
            "MOODSEARCH_CODE_SERVER": str(Path(sockets) / "code"),
            **_THREADS,
        }
        with dagster_instance(backends) as instance:
            fail_unfinished_runs(instance)
        choose_model(console, backends, model)
        _find_what_is_pending(console, backends)
        begin = threading.Thread(
            target=_begin_the_wanted_model,
            args=(console, backends, model is not None),
            daemon=True,
        )

        def every_second() -> None:
            backends.ensure_running()
            keep_lock()

        def started() -> None:
            _say_where(console, page, ui, command)
            begin.start()

        api, dagster = ("--host", host, "--port", str(port)), ("-h", dagster_host)
        programs = _programs(api, (*dagster, "-p", str(dagster_port)), environment)
        page, ui = f"http://{host}:{port}", f"http://{dagster_host}:{dagster_port}"
        return Supervisor(programs, console).run(
            started=started,
            every_second=every_second,
        )


def _find_what_is_pending(console: Console, backends: Backends) -> None:
    """Put on the list of work what was there before the first start: no change of a track tells the
    sensors."""
    other = backends.generations.other_model(wanted(backends).track_model)
    if other is not None:
        console.print(Text(f"Attention: {other}.", style="yellow"), soft_wrap=True)
    backends.work.reconcile()


def _begin_the_wanted_model(console: Console, backends: Backends, is_asked_for: bool) -> None:
    """Once its files are had, which may take minutes, or a network that is not there yet. One that
    the person asks for by `--model` takes the place of what is being built, and is taken up again
    if it was replaced."""
    while True:
        try:
            if is_asked_for:
                backends.generations.stop_building()
                asked_for = begin(wanted(backends))
                begun = asked_for if asked_for.is_building else None
            else:
                begun = begin_by_itself(backends)
        except BackendError:
            time.sleep(BEGIN_AGAIN_SECONDS)
            continue
        except MoodSearchError as error:
            console.print(Text(f"Attention: {error}", style="yellow"), soft_wrap=True)
            return
        if begun is not None:
            said = f"An index of {begun.name} is being built, and answers when it is complete."
            console.print(Text(said), soft_wrap=True)
        return


def _programs(
    api: Sequence[str], dagster_ui: Sequence[str], environment: dict[str, str]
) -> list[Program]:
    """`api`, `dagster_ui`: the arguments that say where each listens."""
    socket_of_code = environment["MOODSEARCH_CODE_SERVER"]

    def program(name: str, *command: str, needs_code: bool = False) -> Program:
        return Program(
            name,
            [sys.executable, "-W", "ignore", *command],
            environment,
            is_noise=_is_noise,
            may_start=(lambda: _answers(socket_of_code)) if needs_code else (lambda: True),
        )

    workspace = str(CODE_SERVER_WORKSPACE)
    dagster, daemon = _script("dagster", "dagster"), _script("dagster", "dagster-daemon")
    webserver = ("-m", "serving.dagster_ui")
    return [
        program("api", "-m", "serving.cli", "serve", *api),
        program("code", dagster, *CODE_SERVER, "--socket", socket_of_code),
        program("daemon", daemon, "run", "-w", workspace, needs_code=True),
        program("dagster", *webserver, "-w", workspace, *dagster_ui, needs_code=True),
    ]


def _script(package: str, name: str) -> str:
    """The path of a command that `package` installs."""
    files = distribution(package).files or []
    return next(str(file.locate()) for file in files if file.name == name)


def _answers(path: str) -> bool:
    """Whether a program listens on the socket at `path`."""
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(path) == 0


def _is_noise(line: str) -> bool:
    if " - DEBUG - " in line:
        return not any(event in line for event in _WORTH_SHOWING)
    return any(part in line for part in _NOISE)


def _say_where(console: Console, page: str, dagster_ui: str, command: str) -> None:
    console.print(f"Search page and API  {page}", highlight=False)
    console.print(f"Dagster              {dagster_ui}", highlight=False)
    # Not the address itself: what is printed here ends up in logs, and it lets people in.
    console.print("To search by mood, run these and open the address that the second prints:")
    for arguments in ("flags grant me vibe-search", f"token me --page {page}"):
        console.print(Text(f"  {command} {arguments}"), highlight=False, soft_wrap=True)
    console.print("The sensors are on in about 15 seconds. Ctrl-C stops everything.")


@contextmanager
def _only_one(home: Path) -> Iterator[None]:
    """Two daemons on one home would launch each run twice."""
    try:
        make_private(home)
        file = (home / "up.lock").open("ab")
    except OSError as error:
        raise cannot_write(home / "up.lock", error) from None
    with file as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise UserError(f"moodsearch up is already running on {home}") from None
        yield


@contextmanager
def _only_one_on_the_database(url: str) -> Iterator[Callable[[], None]]:
    """Two daemons on one database likewise, and the second to start would take the first one's
    runs for dead. Yields what keeps the lock, to be called often."""
    with SessionLock(url, UP_LOCK) as lock:
        if not lock.is_held:
            raise UserError(
                "moodsearch up is already running on this database, from another home or machine"
            )
        yield lock.keep


def _refuse_taken_port(host: str, port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise UserError(
                f"cannot listen on {host}:{port}: {error.strerror}; choose another port with "
                "--port or --dagster-port"
            ) from None
