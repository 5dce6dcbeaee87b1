"""`moodsearch token`: a token for a user."""

import typer

from resources.session_secret import session_secret
from resources.settings import load_settings
from serving.cli.users import check_name
from serving.tokens import make_token


def run(user: str) -> int:
    """Prints the token alone, for `curl -H "Authorization: Bearer $(moodsearch token USER)"`."""
    check_name("USER", user)
    typer.echo(make_token(session_secret(load_settings()), user))
    return 0
