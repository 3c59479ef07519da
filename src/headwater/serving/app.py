"""The web application around a service: its routes, its manners, its page."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from headwater import __version__, catalog
from headwater.application import Application
from headwater.errors import HeadwaterError, RequestError
from headwater.serving import page
from headwater.serving.answers import bug, refusal, response
from headwater.serving.guard import Guard
from headwater.serving.service import Service
from headwater.serving.settings import ServeSettings


def make_app(application: Application, settings: ServeSettings | None = None, run: Path | None = None) -> FastAPI:
    """An application as a web application of FastAPI, for a server or a test.

    Args:
        application: a fitted one.
        settings: limits, and where the server listens; the defaults if not given.
        run: the run folder it was read from; beside it new interactions are kept.

    Raises:
        NotFittedError: it has learnt nothing yet.
    """
    settings = settings or ServeSettings()
    service = service_of(application, settings, run)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        service.close()

    app = FastAPI(
        title=f"headwater {application.task}", version=__version__, docs_url=None, redoc_url=None, lifespan=lifespan,
        description=catalog.task(application.task).sentence,
    )  # fmt: skip
    _add_routes(app, service)
    service.mount(app)
    app.add_middleware(Guard, settings=settings)
    app.add_exception_handler(HeadwaterError, _mistake)
    app.add_exception_handler(HTTPException, _elsewhere)
    app.add_exception_handler(Exception, _bug)
    return app


def service_of(application: Application, settings: ServeSettings, run: Path | None) -> Service:
    """What serves an application, as its task says in the catalog."""
    kind: type[Service] = catalog.load(catalog.task(application.task).service, extra="serving")
    return kind(application, settings, run)


def _add_routes(app: FastAPI, service: Service) -> None:
    about, shown = service.about(), page.page(service.script)

    @app.get("/health", summary="Whether the server is awake.")
    async def health() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/about", summary="What the application is, and how good.", response_model=None)
    async def about_it() -> Response:
        return response(about)

    @app.get("/", include_in_schema=False, response_model=None)
    async def front() -> Response:
        return Response(shown.content, media_type="text/html", headers=shown.headers)


async def _mistake(_: Request, error: Any) -> Response:
    return refusal(error)


async def _elsewhere(request: Request, error: Any) -> Response:
    """What the router itself turns away, in the words of the house."""
    routes = sorted({route.path for route in request.app.routes if hasattr(route, "methods")})
    told = RequestError(
        HTTPStatus(error.status_code).phrase.capitalize(), status=error.status_code,
        where=f"{request.method} {request.url.path}", accepted=routes,
    )  # fmt: skip
    return refusal(told)


async def _bug(_: Request, __: Exception) -> Response:
    return bug()
