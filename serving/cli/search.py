"""`moodsearch search`: the same answer as `GET /search/semantic`, without a server."""

import typer

from resources.backends import Backends
from resources.errors import BackendError, NoCatalogueError
from resources.settings import Settings, load_settings
from serving.api.models import SemanticSearchAnswer
from serving.cli.output import cell, console, table
from serving.cli.text import print_error
from serving.search.query_embedder import embeds_queries_on_modal
from serving.search.semantic import (
    DEFAULT_DEADLINE_SECONDS,
    LONGEST_QUERY,
    SHORTEST_QUERY,
    SearchAnswer,
    SemanticSearch,
)
from serving.search.shown_similarity import ShownScale, shown_scale


def run(text: str, limit: int, *, as_json: bool) -> int:
    """Print what is found. 1 when semantic search is not available."""
    query = _checked(text)
    answer, scale = _answer(load_settings(), query, limit)
    if as_json:
        typer.echo(SemanticSearchAnswer.of(answer).model_dump_json())
    elif scale is not None and answer.available:
        _print(answer, scale)
    if answer.reason is not None:
        print_error(f"semantic search is not available: {answer.reason}")
    return 0 if answer.available else 1


def _checked(text: str) -> str:
    query = text.encode("utf-8", "replace").decode("utf-8")
    if not SHORTEST_QUERY <= len(query) <= LONGEST_QUERY or not query.strip():
        raise typer.BadParameter(
            f"must be {SHORTEST_QUERY} to {LONGEST_QUERY} characters long, not only spaces",
            param_hint="TEXT",
        )
    return query


def _answer(settings: Settings, query: str, limit: int) -> tuple[SearchAnswer, ShownScale | None]:
    """The answer and the scale of the model that gave it, if there is one."""
    try:
        with Backends(settings, create=False) as backends:
            search = SemanticSearch(backends, deadline_seconds=_patience(settings))
            return search.search(query, limit), shown_scale(search.model)
    except (BackendError, NoCatalogueError) as error:
        return SearchAnswer(query, reason=str(error)), None


def _patience(settings: Settings) -> float:
    """Seconds. Whoever waits at a prompt waits for a container that starts, too."""
    remote = embeds_queries_on_modal(settings)
    return settings.modal_timeout_seconds if remote else DEFAULT_DEADLINE_SECONDS


def _print(answer: SearchAnswer, scale: ShownScale) -> None:
    if not answer.results:
        console().print("No results. Run `moodsearch doctor` to check that tracks are indexed.")
        return
    rows = table(">#", "Title", "Artist", ">Similarity", ">Id")
    for rank, found in enumerate(answer.results, start=1):
        rows.add_row(
            str(rank),
            cell(found.title, style="bold"),
            cell(found.artist_display_name),
            f"{scale.percent(found.similarity)} %",
            str(found.id),
        )
    console().print(rows)
