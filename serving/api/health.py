"""`GET /healthz` and `GET /readyz`: liveness and readiness."""

from fastapi import APIRouter, Response

from serving.api.models import Liveness, Readiness
from serving.health import HealthChecks


def health_routes(checks: HealthChecks) -> APIRouter:
    router = APIRouter(tags=["health"])

    @router.head("/healthz", include_in_schema=False)
    @router.get("/healthz", summary="Liveness")
    async def healthz() -> Liveness:
        """200 while the process runs. Checks no backend."""
        return Liveness()

    @router.head("/readyz", include_in_schema=False)
    @router.get(
        "/readyz",
        summary="Readiness of each backend",
        responses={503: {"model": Readiness, "description": "A backend does not answer."}},
    )
    def readyz(response: Response) -> Readiness:
        """Checks every backend, each for at most 5 s. A good result is cached for 10 s, a failure
        for 2 s. Work on the index that fails is told, and is no reason for a 503."""
        states = checks.all()
        backends = {state.name: state for state in states if state.is_backend}
        (work,) = (state for state in states if not state.is_backend)
        ready = all(state.ok for state in backends.values())
        response.status_code = 200 if ready else 503
        response.headers["Cache-Control"] = "no-store"
        return Readiness.model_validate(
            {"ready": ready, "backends": backends, "work": work}, from_attributes=True
        )

    return router
