"""`moodsearch models`: whose vectors the index holds, and which index answers."""

from rich.text import Text

from pipelines.backfill import plan
from pipelines.models import begin, clap
from pipelines.reconcile import drop_generation
from resources.backends import Backends
from resources.catalogue.model_choice import Choice
from resources.catalogue.work.generations import Generation
from resources.catalogue.work.overview import Overview
from resources.errors import UserError
from resources.settings import ModelSetting, Settings, load_settings
from serving.cli.backfill import run_plan
from serving.cli.cost_figures import PaidSteps, cost_of
from serving.cli.output import about, cell, console, table


def show() -> int:
    """Print a row for each model's index."""
    with Backends(load_settings(), create=False) as backends:
        generations = backends.generations.all()
        if not generations:
            console().print("Nothing was indexed yet.")
            return 0
        overview = Overview(backends.database)
        rows = table("Model", "Index", ">Tracks", "State")
        for each in generations:
            indexed = overview.count_indexed(each.id)
            rows.add_row(
                cell(f"{each.clap_model}, {each.clap_precision} ({each.model[:8]})"),
                cell(each.namespace),
                f"{indexed:,}",
                cell(_state(backends, each)),
            )
        console().print(rows)
    return 0


def _state(backends: Backends, generation: Generation) -> str:
    if generation.is_live:
        return "answers"
    if generation.is_building:
        return f"is being built; {backends.generations.missing(generation):,} tracks to go"
    if generation.replaced_at is not None:
        return f"replaced {generation.replaced_at:%Y-%m-%d %H:%M %Z}; kept for a week"
    return "not completed"


def build(name: str, precision: str | None, concurrency: int | None) -> int:
    """Index everything for a model beside the one that answers, which it then replaces. Returns the
    exit code."""
    screen = console()
    settings = load_settings()
    with Backends(settings) as backends:
        own = backends.for_model(_setting(settings, name, precision))
        live = backends.generations.live()
        _choose(backends, _as_choice(own.settings))
        generation = begin(own)
        tracks = plan(own)
        if generation.is_live:
            screen.print(f"{generation.name} answers already.")
        elif live is not None:
            dollars = cost_of(own.settings, PaidSteps.of(tracks))
            costs = f" At published prices this costs {about(dollars)}." if dollars else ""
            screen.print(
                Text(
                    f"The index of {generation.name} is built beside that of {live.name}, which"
                    f" answers until it is complete.{costs} If this is interrupted, moodsearch up"
                    " goes on with it; moodsearch models drop gives it up."
                ),
                soft_wrap=True,
            )
        code = run_plan(screen, own, tracks, concurrency)
        now = backends.generations.find(own.track_model)
        if now is not None and now.is_live and not generation.is_live:
            screen.print(f"{generation.name} answers from now on.")
        return code


def promote(name: str) -> int:
    """Have a model's index answer now. 1 when it lacks tracks."""
    with Backends(load_settings(), create=False) as backends:
        generation = _named(backends, name)
        missing = 0 if generation.is_live else backends.generations.missing(generation)
        if missing:
            raise UserError(
                f"the index of {generation.name} lacks {missing:,} tracks; moodsearch models build"
                f" {generation.clap_model} completes it"
            )
        backends.generations.promote(generation)
        _choose(backends, "live")
        # Of what changed while it was not kept equal to the catalogue.
        backends.work.reconcile()
        console().print(f"{generation.name} answers from now on.")
    return 0


def rollback() -> int:
    """Have the index answer that did before."""
    with Backends(load_settings(), create=False) as backends:
        generation = backends.generations.rollback()
        if generation is None:
            raise UserError("no index was replaced that could answer again")
        _choose(backends, "live")
        backends.work.reconcile()
        console().print(
            f"{generation.name} answers again. What changed since is indexed by moodsearch up or"
            " backfill.",
            soft_wrap=True,
        )
    return 0


def drop(name: str) -> int:
    """Drop a model's index, or give up building it. Its embeddings are kept."""
    with Backends(load_settings(), create=False) as backends:
        generation = _named(backends, name)
        if not drop_generation(backends, generation):
            raise UserError(f"{generation.name} answers searches; promote another model before")
        _choose(backends, "live")
        console().print(
            f"The index of {generation.name} is gone. Its embeddings are kept: building it again"
            " embeds nothing.",
            soft_wrap=True,
        )
    return 0


def _as_choice(settings: Settings) -> Choice:
    if settings.model == clap(settings):
        return "clap"
    return "offline" if settings.clap_model == "offline" else "live"


def _choose(backends: Backends, choice: Choice) -> None:
    """So that no other model is begun by itself in one's own library."""
    if backends.settings.is_own_library:
        backends.model_choice.write(choice)


def _setting(settings: Settings, name: str, precision: str | None) -> ModelSetting:
    """Raises `ConfigurationError` for a name that no model can have."""
    model = clap(settings).clap_model if name == "clap" else name
    # Read as the environment's are: a folder becomes absolute, and a wrong form is said.
    checked = load_settings(clap_model=model, clap_precision=precision or settings.clap_precision)
    return checked.model


def _named(backends: Backends, name: str) -> Generation:
    """By the model's setting, its index or the start of its fingerprint."""
    wanted = clap(backends.settings).clap_model if name == "clap" else name
    found = [
        each
        for each in backends.generations.all()
        if wanted in (each.clap_model, each.model_id, each.namespace)
        or (len(wanted) >= 6 and each.model.startswith(wanted))
    ]
    if len(found) == 1:
        return found[0]
    known = "moodsearch models list shows them"
    if found:
        raise UserError(f"{name} is the model of several indexes; name one by its index: {known}")
    raise UserError(f"there is no index of {name}; {known}")
