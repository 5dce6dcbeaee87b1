"""Users' tokens: JSON Web Tokens (RFC 7519) signed with the session secret, whose subject is the
user's DID."""

from datetime import UTC, datetime, timedelta
from typing import Final

import jwt

from resources.errors import UserError

ALGORITHM: Final = "HS256"
DEFAULT_LIFETIME: Final = timedelta(days=30)


class InvalidTokenError(UserError):
    """A token that proves nothing; the message says why and may be shown to its bearer."""


def make_token(secret: str, user_did: str, lifetime: timedelta = DEFAULT_LIFETIME) -> str:
    """A token that proves for `lifetime` that its bearer is `user_did`."""
    now = datetime.now(UTC)
    return jwt.encode({"sub": user_did, "iat": now, "exp": now + lifetime}, secret, ALGORITHM)


def verify_token(secret: str, token: str) -> str:
    """The DID of the user that `token` belongs to. Raises `InvalidTokenError`."""
    try:
        # The algorithm is ours to choose, never the token's (RFC 8725 section 3.1).
        claims = jwt.decode(
            token, secret, algorithms=[ALGORITHM], options={"require": ["exp", "sub"]}
        )
    except jwt.ExpiredSignatureError:
        raise InvalidTokenError("the token has expired; sign in again") from None
    except jwt.MissingRequiredClaimError as error:
        raise InvalidTokenError(f"the token lacks the claim {error.claim!r}") from None
    except jwt.InvalidTokenError:
        raise InvalidTokenError("the token is not valid") from None
    user_did = str(claims["sub"])
    if not user_did or not user_did.isprintable():
        raise InvalidTokenError("the token names no user")
    return user_did
