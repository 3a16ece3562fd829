"""The HTTP door: agents report runs here, and ask what is failing."""

from fastapi import APIRouter, FastAPI, Response

from faultbook.base.settings import Settings
from faultbook.intake.http.artifacts import ArtifactEndpoints
from faultbook.intake.http.batch import BatchEndpoint
from faultbook.intake.http.callers import Callers
from faultbook.intake.http.door import Door
from faultbook.intake.http.failing import FailingEndpoint
from faultbook.intake.http.health import Health
from faultbook.intake.http.openapi import BODIES, describe
from faultbook.intake.http.problems import install_problems
from faultbook.intake.http.recorder import Recorder
from faultbook.intake.http.runs import RunEndpoints
from faultbook.model.policy import Policy
from faultbook.store.engine import Store


def build_app(store: Store, policy: Policy, settings: Settings) -> FastAPI:
    """Build the app over an open store; whoever opened the store closes it.

    Args:
        store: where runs are written.
        policy: what verdicts and answers depend on.
        settings: its `limits` bound what is accepted.
    """
    app = FastAPI(
        title="Faultbook",
        summary="Record runs with their evidence; ask what is failing.",
        version="1",
        docs_url=None,  # its pages load scripts from elsewhere
        redoc_url=None,
        redirect_slashes=False,
    )
    door = Door(store, policy, settings.limits, Callers(store))
    app.include_router(_routes(door, Health(store, policy)))
    install_problems(app)
    describe(app)
    return app


def _routes(door: Door, health: Health) -> APIRouter:
    # The literal addresses come first: `{run_id}` would take them.
    router = APIRouter(default_response_class=Response)
    runs = RunEndpoints(door, Recorder(door.store))
    table = (
        ("POST", "/v1/runs:record", runs.record),
        ("POST", "/v1/runs:batch", BatchEndpoint(door).batch),
        ("POST", "/v1/runs", runs.start),
        ("POST", "/v1/runs/{run_id}/events", runs.event),
        ("PUT", "/v1/runs/{run_id}/artifacts/{name:path}", ArtifactEndpoints(door).put),
        ("POST", "/v1/runs/{run_id}/close", runs.close),
        ("GET", "/v1/runs/{run_id}", runs.read),
        ("GET", "/v1/failing", FailingEndpoint(door).ask),
        ("GET", "/healthz", health.answer),
    )
    for method, path, endpoint in table:
        router.add_api_route(
            path,
            endpoint,
            methods=[method],
            response_model=None,
            openapi_extra=BODIES[method, path.replace(":path}", "}")],
        )
    return router
