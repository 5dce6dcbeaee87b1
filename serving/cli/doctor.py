"""`moodsearch doctor`: what is configured, reachable, indexed and missing."""

from collections.abc import Iterable
from typing import Final

from rich.console import Console
from rich.text import Text

from resources.backends import Backends
from resources.catalogue.database import DAGSTER_SCHEMA
from resources.catalogue.names.index import KeywordIndex
from resources.catalogue.schema.app_tables import TABLE_CHANGED
from resources.catalogue.work.overview import Overview
from resources.errors import BackendError, MoodSearchError, NoCatalogueError, first_line, one_line
from resources.machine.folders import open_to_others
from resources.settings import Settings, load_settings
from serving.cli.configuration import configured
from serving.cli.installation import clashes
from serving.cli.output import cell, console, table
from serving.cli.text import printable
from serving.health import Health, HealthChecks
from serving.search.semantic import SemanticSearch

CHECK_SECONDS: Final = 60.0
"""A container that starts to embed queries takes about 30 s."""

LISTED: Final = 10


def run() -> int:
    """1 when anything is wrong. Audio that cannot be used is shown, but is the audio's fault."""
    settings = load_settings()
    report = _Report(console())
    report.heading("Configured")
    for name, value in configured(settings):
        report.fact(name, value)
    home = settings.moodsearch_home
    if home.is_dir() and open_to_others(home):
        report.fact("home is open", f"other users may look into it; next: chmod 700 {home}")
    for package, others in clashes().items():
        report.problem(
            f"the package {package} is installed by {' and '.join(others)}, too, and each may "
            "import the other's; install mood search in an environment of its own"
        )
    report.heading("Reachable")
    try:
        _examine(settings, report)
    except MoodSearchError as error:
        report.state(Health("backends", False, str(error)))
    return report.conclude()


def _examine(settings: Settings, report: "_Report") -> None:
    try:
        backends = Backends(settings, create=False)
    except (NoCatalogueError, BackendError) as error:
        name = "catalogue" if isinstance(error, NoCatalogueError) else "database"
        report.state(Health(name, False, str(error)))
        return
    with backends:
        search = SemanticSearch(backends)
        checks = HealthChecks(
            backends, search, ask_remote_model=True, check_seconds=CHECK_SECONDS
        ).all()
        for check in checks:
            report.state(check)
        overview = Overview(backends.database)
        report.state(_dagster(overview))
        for section in (_index, _changes, _keyword, _failed, _genres, _stuck):
            # What one of them needs may be down while the others can tell why.
            try:
                section(backends, overview, report)
            except (MoodSearchError, *TABLE_CHANGED) as error:
                reason = first_line(error) if isinstance(error, TABLE_CHANGED) else str(error)
                report.state(Health(section.__name__.strip("_"), False, reason))


def _dagster(overview: Overview) -> Health:
    if overview.has_table(DAGSTER_SCHEMA, "runs"):
        return Health("dagster", True, f"storage in the database, schema {DAGSTER_SCHEMA}")
    return Health("dagster", True, "no storage yet; moodsearch backfill or up makes it")


def _index(backends: Backends, overview: Overview, report: "_Report") -> None:
    report.heading("Indexed")
    live = backends.live
    own = live or backends
    generation = None if live is None else live.generations.find(live.track_model)
    recorded = 0 if generation is None else overview.count_indexed(generation.id)
    stored = 0 if live is None else live.vectors.count()
    pending = own.work.count()
    kinds = ", ".join(f"{kind} {count:,}" for kind, count in sorted(pending.items()))
    report.fact("public tracks", f"{backends.tracks.count_public():,}")
    where = "" if generation is None else f" in {generation.namespace}"
    report.fact("in the index", f"{stored:,}{where}")
    model = own.track_model
    report.fact("model and windows", f"{model.id} ({model.fingerprint[:8]})")
    report.fact("pending", f"{kinds}; next: moodsearch backfill" if pending else "nothing")
    for other in backends.generations.all():
        if other.is_building:
            to_go = f"{backends.generations.missing(other):,} tracks to go"
            report.fact("being built", f"{other.namespace}, vectors of {other.name}; {to_go}")
        elif not other.is_live:
            report.fact("replaced index", f"{other.namespace}, vectors of {other.name}")
    if "clap_model" in backends.settings.model_fields_set:
        configured_model = backends.generations.other_model(backends.track_model)
        if configured_model is not None:
            report.fact("next", str(configured_model))
    if stored != recorded:
        report.problem(
            f"the index holds {stored:,} tracks, but {recorded:,} are recorded to be in it"
        )


def _changes(backends: Backends, _overview: Overview, report: "_Report") -> None:
    if not backends.contents.sees_changes():
        report.fact("changes", "no triggers: everything is compared every 5 minutes while up runs")
    for missed in backends.contents.missed_changes():
        times = "once" if missed.transactions == 1 else f"{missed.transactions:,} times"
        report.fact(
            "missed",
            f"changes of public.{missed.table}, noted {times} since "
            f"{missed.since:%Y-%m-%d %H:%M %Z}, until up compares everything (within 5 "
            f"minutes): {missed.reason}",
        )


def _failed(backends: Backends, overview: Overview, report: "_Report") -> None:
    total = overview.count_failed()
    if not total:
        return
    failed = backends.records.failed(LISTED)
    report.heading(f"Audio that cannot be used: {total:,}")
    report.table((">Id", "Title", "Reason"), [(str(t.track_id), t.title, t.reason) for t in failed])


def _genres(backends: Backends, overview: Overview, report: "_Report") -> None:
    counts = backends.classified_by.counts()
    own = (backends.live or backends).classifier.name
    others = {name: tracks for name, tracks in counts.items() if name != own}
    if counts:
        report.heading("Genres")
        report.fact(f"{counts.get(own, 0):,} tracks", f"from {own}, which is configured")
    for name, tracks in others.items():
        report.fact(f"{tracks:,} tracks", f"from {name or 'an unrecorded classifier'}")
    if others:
        again = "moodsearch backfill --reclassify does them again; with --dry-run it says the price"
        report.fact("next", again)
    failures = overview.genre_failures(LISTED)
    if failures:
        report.heading("Audio that could not be classified")
        report.table((">Id", "Reason"), [(str(id_), reason) for id_, reason in failures.items()])
    if not overview.may_write_genres():
        report.problem(
            "genres cannot be stored; have an administrator run: "
            "GRANT UPDATE (extra) ON tracks TO the user of DATABASE_URL"
        )


def _keyword(backends: Backends, _overview: Overview, report: "_Report") -> None:
    report.heading("Keyword search")
    states = list(KeywordIndex(backends.database, backends.database_url).states())
    lacking = ", ".join(state.kind for state in states if not state.is_complete)
    kinds = ", ".join(state.kind for state in states)
    compared = f"to be compared: {lacking}; moodsearch serve does it"
    report.fact("names", compared if lacking else f"complete: {kinds}")
    for grant in dict.fromkeys(state.grant for state in states if state.grant):
        how = f"seen every 5 minutes only; have the table's owner run: {grant}"
        report.fact("new names", how)
    for changed, missed in dict.fromkeys((state.table, state.missed) for state in states):
        if missed:
            how = f"changes of public.{changed}, until they are compared: {missed}"
            report.fact("missed", how)


def _stuck(_backends: Backends, overview: Overview, report: "_Report") -> None:
    stuck = overview.stuck(LISTED)
    if not stuck:
        return
    report.heading("Work that keeps failing")
    report.table(
        (">Id", "Title", "Job", ">Attempts", "Last error"),
        [
            (str(t.track_id), t.title or "(deleted)", t.job, str(t.attempts), t.last_error)
            for t in stuck
        ],
    )
    report.problem("some work keeps failing; it is tried again with growing delays")


class _Report:
    """Prints as it goes, and remembers what is wrong."""

    def __init__(self, out: Console) -> None:
        self._out = out
        self._problems: list[str] = []

    def heading(self, text: str) -> None:
        self._out.print(Text(f"\n{text}", style="bold"))

    def fact(self, name: str, value: str) -> None:
        self._out.print(f"  {name:<18}{printable(value)}", soft_wrap=True)

    def table(self, headings: Iterable[str], rows: Iterable[Iterable[str]]) -> None:
        shown = table(*headings)
        for row in rows:
            shown.add_row(*map(cell, row))
        self._out.print(shown)

    def state(self, health: Health) -> None:
        mark = Text("  ok    ", style="green") if health.ok else Text("  WRONG ", style="bold red")
        detail = printable(one_line(health.detail))
        name = health.name.replace("_", " ")
        self._out.print(mark + Text(f"{name:<14}{detail}"), soft_wrap=True)
        if not health.ok:
            self.problem(f"{name}: {detail}")

    def problem(self, text: str) -> None:
        self._problems.append(text)

    def conclude(self) -> int:
        """Print the verdict. Returns the exit code."""
        if not self._problems:
            self._out.print(Text("\nEverything is in order.", style="green"))
            return 0
        self._out.print(Text("\nWrong:", style="bold red"))
        for problem in self._problems:
            self._out.print(f"  {printable(problem)}", soft_wrap=True)
        return 1
