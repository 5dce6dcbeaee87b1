"""`moodsearch flags`: grant, revoke and list users' feature flags."""

import typer

from resources.backends import Backends
from resources.settings import load_settings
from serving.cli.text import printable


def grant(user: str, flag: str) -> int:
    """No error when the user has it."""
    with Backends(load_settings()) as backends:
        backends.flags.grant(user, flag)
    typer.echo(f"{user} has {flag}")
    return 0


def revoke(user: str, flag: str) -> int:
    """No error when the user does not have it."""
    with Backends(load_settings()) as backends:
        backends.flags.revoke(user, flag)
    typer.echo(f"{user} does not have {flag}")
    return 0


def show(user: str) -> int:
    with Backends(load_settings(), create=False) as backends:
        for flag in backends.flags.of(user):
            typer.echo(printable(flag))
    return 0
