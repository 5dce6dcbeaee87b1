"""What becomes of errors that no route expects: one shape for all, and nothing about our inside."""

import logging
from typing import Final

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from resources.errors import BackendError, one_line
from serving.api.headers import HEADERS, content_security_policy
from serving.availability import LOG_INTERVAL_SECONDS, AtMostEvery

RETRY_AFTER_SECONDS: Final = 5

logger = logging.getLogger(__name__)


def add_error_handlers(app: FastAPI) -> None:
    """Answers in the shape of `Problem`: 503 where a route cannot do without a backend that is
    down, 500 for a mistake of ours, which the server logs with its traceback."""
    may_log = AtMostEvery(LOG_INTERVAL_SECONDS)

    def backend_is_down(_request: Request, error: Exception) -> JSONResponse:
        # The reason may name hosts and users of ours: it is for the operator.
        if may_log():
            logger.warning("%s", one_line(error))
        return JSONResponse(
            {"detail": "the database or storage does not answer; try again in a moment"},
            status_code=503,
            headers={"Retry-After": str(RETRY_AFTER_SECONDS)},
        )

    app.add_exception_handler(BackendError, backend_is_down)
    app.add_exception_handler(Exception, _our_mistake)


def _our_mistake(_request: Request, _error: Exception) -> JSONResponse:
    # Sent outside of all middleware.
    headers = {"Content-Security-Policy": content_security_policy(), **HEADERS}
    detail = "this is a mistake of the server; its log says more"
    return JSONResponse({"detail": detail}, status_code=500, headers=headers)
