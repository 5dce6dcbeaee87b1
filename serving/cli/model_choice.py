"""Which model answers in one's own library: the one that ships does at once, and CLAP, which hears
much more, takes over when it has heard everything. The person is asked once."""

import sys

from rich.console import Console
from rich.prompt import Confirm

from resources.backends import Backends
from resources.catalogue.model_choice import Choice
from resources.errors import UserError
from resources.settings import Settings


def choose_model(console: Console, backends: Backends, choice: Choice | None) -> None:
    """Remember `choice`, or ask for one where that was never done: at a terminal, and where CLAP's
    files can be had. Raises `UserError` for a choice where settings say the model."""
    settings = backends.settings
    is_said = "clap_model" in settings.model_fields_set or not settings.is_own_library
    if choice is not None:
        if is_said:
            raise UserError(
                "--model is for one's own library without CLAP_MODEL; elsewhere: moodsearch models"
                " build"
            )
        backends.model_choice.write(choice)
    elif not is_said and _may_ask(console) and backends.model_choice.read() is None:
        _ask(console, backends)


def _may_ask(console: Console) -> bool:
    return console.is_terminal and sys.stdin.isatty()


def _ask(console: Console, backends: Backends) -> None:
    size = _download(backends.settings)
    if size is None:  # Without a network there is nothing to ask.
        return
    download = f", after a download of {size / 1e6:,.0f} MB" if size else ""
    console.print(
        "The model that ships is small. CLAP hears much more; it would index your music in the"
        f" background{download}, and answer when that is complete.",
        soft_wrap=True,
    )
    wants = Confirm.ask("Use CLAP?", console=console, default=True)
    backends.model_choice.write("clap" if wants else "offline")
    console.print("Change that with: moodsearch up --model clap|offline", highlight=False)


def _download(settings: Settings) -> int | None:
    """Bytes; None where CLAP's files cannot be had."""
    # With the hub's client: 0.3 s to import, for a question that is asked once.
    from resources.embedding.clap.exports import DEFAULT_EXPORT  # noqa: PLC0415
    from resources.embedding.clap.files import NAMES  # noqa: PLC0415
    from resources.embedding.clap.hub_client import Hub  # noqa: PLC0415

    return Hub().bytes_of(DEFAULT_EXPORT, NAMES[settings.clap_precision].all)
