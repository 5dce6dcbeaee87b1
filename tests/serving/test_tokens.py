"""Users' tokens: what proves who somebody is, and what does not."""

from datetime import UTC, datetime, timedelta

import jwt
import pytest

from serving.tokens import InvalidTokenError, make_token, verify_token
from tests.serving.conftest import SECRET

DID = "did:plc:abc123"
IN_AN_HOUR = datetime.now(UTC) + timedelta(hours=1)


def test_a_token_proves_its_subject() -> None:
    assert verify_token(SECRET, make_token(SECRET, DID)) == DID


def test_a_token_is_valid_for_thirty_days() -> None:
    claims = jwt.decode(make_token(SECRET, DID), SECRET, algorithms=["HS256"])
    assert claims["exp"] - claims["iat"] == 30 * 24 * 3600


def test_an_expired_token_says_so() -> None:
    token = make_token(SECRET, DID, timedelta(seconds=-1))
    with pytest.raises(InvalidTokenError, match="expired"):
        verify_token(SECRET, token)


@pytest.mark.parametrize(
    ("claims", "secret", "algorithm"),
    [
        pytest.param({"sub": DID, "exp": IN_AN_HOUR}, SECRET + "!", "HS256", id="another secret"),
        pytest.param({"sub": DID, "exp": IN_AN_HOUR}, None, "none", id="unsigned"),
        pytest.param({"sub": DID, "exp": IN_AN_HOUR}, SECRET * 2, "HS512", id="another algorithm"),
        pytest.param({"sub": DID}, SECRET, "HS256", id="without an end"),
        pytest.param({"exp": IN_AN_HOUR}, SECRET, "HS256", id="without a subject"),
        pytest.param({"sub": "", "exp": IN_AN_HOUR}, SECRET, "HS256", id="with an empty subject"),
        pytest.param({"sub": "a\0b", "exp": IN_AN_HOUR}, SECRET, "HS256", id="with a NUL"),
    ],
)
def test_a_token_that_proves_nothing_is_refused(
    claims: dict[str, object], secret: str | None, algorithm: str
) -> None:
    token = jwt.encode(claims, secret or "", algorithm)
    with pytest.raises(InvalidTokenError):
        verify_token(SECRET, token)


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "ü.ü.ü", "." * 1000])
def test_what_is_no_token_is_refused(token: str) -> None:
    with pytest.raises(InvalidTokenError):
        verify_token(SECRET, token)
