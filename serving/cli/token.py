"""`moodsearch token`: a token for a user."""

from urllib.parse import urlsplit, urlunsplit

import typer

from resources.session_secret import session_secret
from resources.settings import load_settings
from serving.tokens import make_token


def run(user: str, page: str | None) -> int:
    """Prints the token alone, for `curl -H "Authorization: Bearer $(moodsearch token USER)"`, or
    the address of a search page with the token in its fragment, which no server is sent."""
    address = None if page is None else _without_fragment(page)
    token = make_token(session_secret(load_settings(), create=False), user)
    typer.echo(token if address is None else f"{address}#token={token}")
    return 0


def _without_fragment(page: str) -> str:
    try:
        scheme, netloc, path, query, _ = urlsplit(page)
    except ValueError:
        netloc = ""
    if not netloc or scheme not in {"http", "https"} or not page.isprintable() or " " in page:
        raise typer.BadParameter(
            "must be an address such as http://127.0.0.1:8000", param_hint="--page"
        )
    return urlunsplit((scheme, netloc, path or "/", query, ""))
