"""Names, options and help of every command.

What a command needs is imported inside its function, here and nowhere else: the models, the
database driver and the orchestrator take seconds to import, and `moodsearch --help` needs none.
"""
# ruff: noqa: PLC0415

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Final, Literal

import typer

from resources.machine.imports import quick_imports

DEFAULT_HOST: Final = "127.0.0.1"
DEFAULT_PORT: Final = 8000
DEFAULT_DAGSTER_PORT: Final = 3000

Host = Annotated[str, typer.Option(help="Address to listen on; 0.0.0.0 for every interface.")]
Port = Annotated[int, typer.Option(min=0, max=65535, help="Port of the API and search page.")]


def _name_of(most: int) -> Callable[[str], str]:
    """Refuses what is not a name of 1 to `most` printable characters without spaces."""

    def checked(name: str) -> str:
        if not 1 <= len(name) <= most or not name.isprintable() or " " in name:
            raise typer.BadParameter(f"must be 1 to {most:,} printable characters without spaces")
        return name

    return checked


User = Annotated[
    str,
    typer.Argument(
        metavar="USER",
        callback=_name_of(2048),  # as long as a DID may be
        help="The user's DID, or any other stable name.",
    ),
]
ModelName = Annotated[
    str, typer.Argument(metavar="MODEL", help="A model or an index, as models list shows them.")
]
Flag = Annotated[
    str, typer.Argument(metavar="FLAG", callback=_name_of(64), help="The flag, e.g. vibe-search.")
]

app = typer.Typer(
    help="Search music by describing a mood.",
    no_args_is_help=True,
    add_completion=False,
    # Rich's panels would read markup in what the user typed, and take 0.1 s to import.
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
flags = typer.Typer(help="Feature flags of users.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(flags, name="flags")
models = typer.Typer(
    help="The models whose vectors are indexed.", no_args_is_help=True, rich_markup_mode=None
)
app.add_typer(models, name="models")


def _show_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"moodsearch {version('mood-search')}")
        raise typer.Exit


@app.callback()
def _options(
    _version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    pass


@app.command()
def demo(
    serve: Annotated[
        bool, typer.Option("--serve", help="Go on as moodsearch up afterwards.")
    ] = False,
) -> None:
    """Compose a small catalogue, index it and search it."""
    with quick_imports():
        from serving.cli.demo import run

    raise typer.Exit(run(serve))


@app.command()
def add(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="Audio files or folders.")],
) -> None:
    """Import audio files, or folders of them, as uploads."""
    with quick_imports():
        from serving.cli.add import run

    raise typer.Exit(run(paths))


@app.command()
def backfill(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be done.")] = False,
    limit: Annotated[int | None, typer.Option(min=1, help="Most tracks to work on.")] = None,
    concurrency: Annotated[
        int | None, typer.Option(min=1, max=256, help="Tracks worked on at once.")
    ] = None,
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="Try audio that could not be used again.")
    ] = False,
    reclassify: Annotated[
        bool,
        typer.Option(
            "--reclassify", help="Also predict genres again that another classifier predicted."
        ),
    ] = False,
) -> None:
    """Embed and index everything that is pending, now."""
    with quick_imports():
        from serving.cli.backfill import run

    code = run(
        dry_run=dry_run,
        limit=limit,
        concurrency=concurrency,
        retry_failed=retry_failed,
        genres_again=reclassify,
    )
    raise typer.Exit(code)


@app.command()
def search(
    text: Annotated[
        str, typer.Argument(metavar="TEXT", help="What the music sounds like, 3 to 200 characters.")
    ],
    limit: Annotated[int, typer.Option(min=1, max=50, help="Most tracks to show.")] = 10,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Find the tracks that sound like a description."""
    with quick_imports():
        from serving.cli.search import run

    raise typer.Exit(run(text, limit, as_json=json))


@app.command()
def up(
    host: Host = DEFAULT_HOST,
    port: Port = DEFAULT_PORT,
    dagster_port: Annotated[
        int, typer.Option(min=1, max=65535, help="Port of Dagster's UI.")
    ] = DEFAULT_DAGSTER_PORT,
    dagster_host: Annotated[
        str,
        typer.Option(
            help="Address or name that Dagster's UI listens on; who reaches it can launch runs."
        ),
    ] = DEFAULT_HOST,
    model: Annotated[
        Literal["clap", "offline"] | None,
        typer.Option(help="Which model is to answer in one's own library."),
    ] = None,
) -> None:
    """Run Dagster, the API and the search page together."""
    with quick_imports():
        from serving.cli.up import run

    code = run(host, port, dagster_port, dagster_host=dagster_host, model=model)
    raise typer.Exit(code)


@app.command()
def serve(host: Host = DEFAULT_HOST, port: Port = DEFAULT_PORT) -> None:
    """Serve the API and the search page alone."""
    with quick_imports():
        from serving.cli.serve import run

    raise typer.Exit(run(host, port))


@models.command("list")
def list_models() -> None:
    """Show each model's index and which one answers."""
    with quick_imports():
        from serving.cli.models import show

    raise typer.Exit(show())


@models.command()
def build(
    model: Annotated[
        str,
        typer.Argument(
            metavar="MODEL", help="offline, clap, a model of the hub, or a folder: as CLAP_MODEL."
        ),
    ],
    precision: Annotated[
        str | None, typer.Option(metavar="PRECISION", help="As CLAP_PRECISION: int8 or fp32.")
    ] = None,
    concurrency: Annotated[
        int | None, typer.Option(min=1, max=256, help="Tracks worked on at once.")
    ] = None,
) -> None:
    """Index everything for a model, which then answers."""
    with quick_imports():
        from serving.cli.models import build

    raise typer.Exit(build(model, precision, concurrency))


@models.command()
def promote(model: ModelName) -> None:
    """Have a complete index answer now."""
    with quick_imports():
        from serving.cli.models import promote

    raise typer.Exit(promote(model))


@models.command()
def rollback() -> None:
    """Have the index answer that did before."""
    with quick_imports():
        from serving.cli.models import rollback

    raise typer.Exit(rollback())


@models.command()
def drop(model: ModelName) -> None:
    """Drop an index that does not answer."""
    with quick_imports():
        from serving.cli.models import drop

    raise typer.Exit(drop(model))


@app.command()
def forget(
    what: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[TRACK|ARTIST]",
            help="A track's id, or an artist's handle, DID or name. After --list and --lift: files"
            " and folders.",
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what is stored, and remove nothing.")
    ] = False,
    list_: Annotated[
        bool,
        typer.Option("--list", help="Show what was forgotten, with the names of files given."),
    ] = False,
    lift: Annotated[
        bool, typer.Option("--lift", help="Let these files (or hashes from --list) in again.")
    ] = False,
) -> None:
    """Remove all that is stored of a track or an artist. Your own files stay."""
    with quick_imports():
        from serving.cli.forget import run

    if list_ + lift + dry_run > 1:
        raise typer.BadParameter("--dry-run, --list and --lift exclude each other")
    if not list_ and len(what or []) != 1 and not (lift and what):
        raise typer.BadParameter("name one track or artist" if not lift else "name files to let in")
    raise typer.Exit(run(what or [], dry_run=dry_run, show=list_, lift=lift))


@flags.command()
def grant(user: User, flag: Flag) -> None:
    """Give a flag to a user."""
    with quick_imports():
        from serving.cli.flags import grant

    raise typer.Exit(grant(user, flag))


@flags.command()
def revoke(user: User, flag: Flag) -> None:
    """Take a flag from a user."""
    with quick_imports():
        from serving.cli.flags import revoke

    raise typer.Exit(revoke(user, flag))


@flags.command("list")
def list_(user: User) -> None:
    """Show a user's flags, one on a line."""
    with quick_imports():
        from serving.cli.flags import show

    raise typer.Exit(show(user))


@app.command()
def token(
    user: User,
    page: Annotated[
        str | None,
        typer.Option(
            metavar="URL", help="A search page: print the address that opens it as this user."
        ),
    ] = None,
) -> None:
    """Print a token that proves for 30 days to be a user."""
    with quick_imports():
        from serving.cli.token import run

    raise typer.Exit(run(user, page))


@app.command()
def costs(
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Show what this catalogue costs, estimated and as measured."""
    with quick_imports():
        from serving.cli.costs import run

    raise typer.Exit(run(as_json=json))


@app.command()
def doctor() -> None:
    """Show what is configured, reachable, indexed and missing."""
    with quick_imports():
        from serving.cli.doctor import run

    raise typer.Exit(run())
