"""`GET /me`: the caller's DID and feature flags, from their token."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, HTTPException, Request, Response
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from resources.catalogue.flags import Flags
from serving.api.models import CurrentUser, Problem
from serving.tokens import InvalidTokenError, verify_token

_bearer: Final = HTTPBearer(auto_error=False, bearerFormat="JWT")

_OPTIONAL_TOKEN: Final[dict[str, Any]] = {"security": [{_bearer.scheme_name: []}, {}]}
"""FastAPI documents every scheme as required; the empty one makes it optional."""


def user_routes(flags: Flags, secret: str) -> APIRouter:
    """`secret` verifies the users' tokens."""
    router = APIRouter(tags=["users"])

    @router.get(
        "/me",
        summary="The caller's identity and feature flags",
        openapi_extra=_OPTIONAL_TOKEN,
        responses={
            401: {"model": Problem, "description": "The token is not valid or has expired."},
            503: {"model": Problem, "description": "The database does not answer."},
        },
    )
    def me(
        request: Request,
        response: Response,
        credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
    ) -> CurrentUser:
        """The caller's DID and feature flags; without a token: anonymous, no flags."""
        response.headers["Cache-Control"] = "no-store"
        if credentials is None:
            if "authorization" in request.headers:
                raise _unauthorised("send the header as: Authorization: Bearer <token>")
            return CurrentUser(did=None, flags=[])
        try:
            did = verify_token(secret, credentials.credentials)
        except InvalidTokenError as error:
            raise _unauthorised(str(error)) from None
        return CurrentUser(did=did, flags=flags.of(did))

    return router


def _unauthorised(detail: str) -> HTTPException:
    challenge = {"WWW-Authenticate": 'Bearer error="invalid_token"'}
    return HTTPException(401, detail, headers=challenge)
