"""What is served of an application: what it is, and an answer for every row of a request."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from starlette.requests import Request
from starlette.responses import Response

from headwater import __version__, catalog
from headwater.application import Application, Predictions
from headwater.data.mask_field import Mask
from headwater.data.mask_writing import numbering
from headwater.serving.answers import body_of, listed, plain, response
from headwater.serving.cells import cells_of
from headwater.serving.settings import ServeSettings
from headwater.serving.worker import Worker

if TYPE_CHECKING:
    from fastapi import FastAPI

_ANSWER = {
    "type": "object",
    "properties": {
        "prediction": {"description": "The answer; null where there is none."},
        "confidence": {"type": ["number", "null"]},
        "probabilities": {"type": "object", "additionalProperties": {"type": "number"}},
        "reason": {"type": ["string", "null"], "description": "Why there is no answer."},
    },
}
_ERROR = {
    "type": "object",
    "properties": {"error": {"type": "object", "properties": {"sentence": {"type": "string"}}}},
}


class Service:
    """The routes of one application. A task that serves more than predictions has a class of its own.

    Attributes:
        application: a fitted one.
        settings: of the server.
        worker: answers, in a thread of its own.
    """

    script: ClassVar[str] = "predict.js"
    """The script of its page."""

    def __init__(self, application: Application, settings: ServeSettings, run: Path | None = None) -> None:
        application.require_fitted("serve")
        self.application: Any = application
        self.settings, self.run, self.worker = settings, run, Worker()
        self.cells = cells_of(application)

    def about(self) -> dict[str, Any]:
        """What the application is, for people and programs."""
        entry, report = catalog.task(self.application.task), self.application.report
        told: dict[str, Any] = {
            "headwater": __version__, "task": entry.name, "question": entry.sentence,
            "name": self.run.resolve().name if self.run is not None else entry.name,
            "model": self.application.shown_model,
            "inputs": [self._input(name) for name in self.cells.columns],
            "classes": list(getattr(getattr(self.application, "target", None), "classes", ())),
            "score": None, "limits": {"rows": self.settings.rows, "body_mib": self.settings.body_mib},
        }  # fmt: skip
        if isinstance(target := getattr(self.application, "target", None), Mask):
            found = numbering(target)
            told["legend"] = [
                {"class": name, "number": int(number), "color": found.palette[number].tolist()}
                for name, number in zip(found.classes, found.numbers, strict=True)
            ]
        if report is not None and report.primary in report.metrics:
            score = report.metrics[report.primary]
            on = "in episodes it had not met" if report.episodes else "on rows it had not seen"
            told["score"] = {"metric": report.primary, **score.to_json(), "on": on}
        return told

    def answers(self, rows: list[Any]) -> list[dict[str, Any]]:
        """One answer a row, as JSON values."""
        table, reasons = self.cells.table(rows)
        return answers_of(self.application.predict(table), reasons) if rows else []

    def mount(self, app: FastAPI) -> None:
        """Adds the routes."""
        row = self.cells.schema()
        body = {"type": "object", "properties": {"rows": {"type": "array", "items": row}}, "required": ["rows"]}
        answer = {"type": "object", "properties": {"predictions": {"type": "array", "items": _ANSWER}}}
        add(app, "/predict", self._predict, "One answer for every row, in order.", body, answer)

    def close(self) -> None:
        """Lets what is under way come to its end."""
        self.worker.close()

    async def _predict(self, request: Request) -> Response:
        rows = listed(await body_of(request), "rows", self.settings.rows, "/predict")
        return response({"predictions": await self.worker.ask(self.answers, rows)})

    def _input(self, column: str) -> dict[str, Any]:
        """A field of the form; of an observation, which has many forms, also what it is."""
        schema = self.cells.schemas()[column]
        if catalog.task(self.application.task).inputs == ("Observation",):
            said = {name: schema[name] for name in ("description", "example") if name in schema}
            return {"column": column, "kind": "observation", "says": said.pop("description"), **said}
        kind = schema.get("contentEncoding", schema["type"])
        return {
            "column": column,
            "kind": {"base64": "image", "string": "text", "array": "items"}.get(str(kind), "name"),
        }


def answers_of(predictions: Predictions, reasons: dict[int, str] | None = None) -> list[dict[str, Any]]:
    """Predictions as JSON values, a row each.

    Args:
        predictions: as `predict` gives them.
        reasons: why rows have no answer, where that was known before.
    """
    told, given = list(predictions.reasons), reasons or {}
    for row, reason in given.items():
        told[row] = reason
    spread = predictions.probabilities
    names = [str(name) for name in predictions.classes]
    found = []
    for row, (label, confidence, reason) in enumerate(
        zip(predictions.labels, predictions.confidence, told, strict=True)
    ):
        answer = {"prediction": None if reason else plain(label), "reason": reason}
        if spread is not None:
            answer["confidence"] = None if reason else confidence
            answer["probabilities"] = None if reason else _by_name(names, spread[row])
        found.append(answer)
    return found


def add(app: FastAPI, path: str, door: Any, sentence: str, body: dict[str, Any], answer: dict[str, Any]) -> None:
    """Adds a route that takes and gives JSON, described by these schemas."""
    app.add_api_route(
        path, door, methods=["POST"], summary=sentence, response_model=None,
        openapi_extra={"requestBody": {"required": True, "content": {"application/json": {"schema": body}}}},
        responses={
            200: {"description": "The answer.", "content": {"application/json": {"schema": answer}}},
            **{number: {"description": why, "content": {"application/json": {"schema": _ERROR}}}
               for number, why in _REFUSALS.items()},
        },
    )  # fmt: skip


def _by_name(names: Sequence[str], row: np.ndarray) -> dict[str, float]:
    return dict(zip(names, map(float, row), strict=True))


_REFUSALS = {
    400: "The request cannot be read; the sentence says why.", 401: "The token is missing or wrong.",
    413: "The body is too large, or has too many rows.", 503: "Too many requests wait already.",
}  # fmt: skip
