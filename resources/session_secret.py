"""The secret that signs users' tokens."""

import contextlib
import os
import secrets
import tempfile
from pathlib import Path
from typing import Final

from resources.errors import UserError
from resources.machine.folders import make_private
from resources.settings import Settings

SHORTEST_SECRET: Final = 32
"""Characters; RFC 7518 section 3.2: an HS256 key is at least as long as the hash."""


def session_secret(settings: Settings, *, create: bool = True) -> str:
    """The secret that signs users' tokens: `SESSION_SECRET`, or one made once under the home.

    Raises `UserError` when it cannot be kept there, is damaged, or is missing and may not be made.
    """
    if settings.session_secret is not None:
        return settings.session_secret.get_secret_value()
    path = settings.moodsearch_home / "session_secret"
    if not create and not path.exists():
        raise UserError(
            f"there is no session secret in {settings.moodsearch_home} yet; moodsearch up or serve "
            "makes it, or set SESSION_SECRET"
        )
    try:
        secret = _read_or_create(path)
    except OSError as error:
        raise UserError(
            f"cannot keep the session secret in {path}: {error.strerror}; make "
            "MOODSEARCH_HOME writable or set SESSION_SECRET"
        ) from None
    if len(secret) < SHORTEST_SECRET:
        raise UserError(f"{path} is damaged; delete it, and a new secret is made")
    return secret


def _read_or_create(path: Path) -> str:
    make_private(path.parent)
    if not path.exists():
        # Linked when it is complete: nobody reads an empty secret, and the first writer wins.
        complete, name = tempfile.mkstemp(dir=path.parent)
        try:
            with os.fdopen(complete, "w") as file:
                file.write(secrets.token_urlsafe(48))
            with contextlib.suppress(FileExistsError):
                os.link(name, path)
        finally:
            Path(name).unlink(missing_ok=True)
    return path.read_text(errors="replace").strip()
