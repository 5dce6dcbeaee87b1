"""Which models' indexes are kept equal to the catalogue, and which model's is begun when."""

from assets.model import found_index
from resources.backends import Backends
from resources.catalogue.work.generations import Generation
from resources.costs import prices
from resources.embedding.clap.exports import DEFAULT_EXPORT
from resources.settings import ModelSetting, Settings


def kept_equal(backends: Backends) -> list[Backends]:
    """Those of each index to which changes of the catalogue go, the live one first."""
    return [backends.of(each) for each in backends.generations.all() if each.takes_changes]


def wanted(backends: Backends) -> Backends:
    """Those of the model that is to answer: the one that `CLAP_MODEL` says, or else the one that
    the person at this machine chose, or else the one that does. In one's own library a release's
    own model gives way to the next release's.

    Raises as `Backends.for_model` does.
    """
    settings, live = backends.settings, backends.generations.live()
    if "clap_model" in settings.model_fields_set or live is None:
        return backends
    choice = backends.model_choice.read() if settings.is_own_library else "live"
    if choice == "clap":
        return backends.for_model(clap(settings))
    if choice == "offline" or (choice is None and live.clap_model == settings.clap_model):
        return backends
    return backends.of(live)


def clap(settings: Settings) -> ModelSetting:
    """The export of CLAP that is offered to people."""
    return ModelSetting(DEFAULT_EXPORT.id, settings.clap_precision)


def begins_by_itself(backends: Backends) -> bool:
    """Whether another model's index may be begun without being asked for: where that costs
    nothing, and beside no app."""
    settings = backends.settings
    return (
        settings.is_own_library and not settings.modal_enabled and not settings.turbopuffer_enabled
    )


def begin_by_itself(backends: Backends) -> Generation | None:
    """Begin the index of the model that is wanted, if it was never begun: one that was replaced is
    not taken up again. Returns what was begun.

    Raises as `wanted` and `begin` do.
    """
    if not begins_by_itself(backends) or backends.generations.live() is None:
        return None
    model = wanted(backends)
    return None if model.generations.find(model.track_model) is not None else begin(model)


def begin(backends: Backends) -> Generation:
    """Ask for an index of the backends' model: where another model's is live, sensors and runs go
    on with it from now on.

    Raises `ConfigurationError` for a model that does not tell texts apart.
    """
    found_index(backends)
    generation = backends.generations.start_building(backends.track_model)
    if generation.is_building:
        backends.work.reconcile()
    return generation


def state_of_models(backends: Backends) -> dict[str, str | int | float]:
    """Which model answers, and how far the index of another is; empty before anything was
    indexed. `dollars_to_go`: at published prices, where a service is paid for it."""
    state: dict[str, str | int | float] = {}
    for generation in backends.generations.all():
        if generation.is_live:
            state["answers"] = generation.name
        elif generation.is_building:
            own, to_go = backends.of(generation), backends.generations.missing(generation)
            state |= {"being_built": generation.name, "tracks_to_go": to_go}
            dollars = prices.dollars_to_embed(to_go) if own.audio_model.charges_for else 0.0
            dollars += prices.dollars_to_index(to_go) if own.vectors.charges_for else 0.0
            if dollars:
                state["dollars_to_go"] = round(dollars, 2)
    return state
