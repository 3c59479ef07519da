"""What a server answers is what `predict` answers, for every model of every task."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient
from tests.contract.kinds import Kind

from headwater.serving.answers import plain
from headwater.serving.app import make_app

SOME = 6


def _row(column: str, given: Any) -> dict[str, Any]:
    if isinstance(given, bytes):
        return {column: base64.b64encode(given).decode()}
    return {"history" if isinstance(given, list) and column == "user" else column: given}


@pytest.fixture(scope="session")
def served(fitted: Any) -> FastAPI:
    return make_app(fitted)


def test_a_server_answers_what_predict_answers(served: FastAPI, fitted: Any, kind: Kind, inputs: list[Any]) -> None:
    asked = [*inputs[:SOME], *kind.bad()]
    expected = fitted.predict(asked)
    with TestClient(served, base_url="http://localhost") as client:
        answer = client.post("/predict", json={"rows": [_row(kind.inputs, one) for one in asked]})
        about = client.get("/about").json()
    assert answer.status_code == 200
    found = answer.json()["predictions"]
    assert [one["reason"] for one in found] == expected.reasons
    assert [one["prediction"] for one in found] == [plain(label) for label in expected]
    if expected.probabilities is not None:
        spread = [one["probabilities"] and list(one["probabilities"].values()) for one in found]
        told = [None if why else row for row, why in zip(plain(expected.probabilities), expected.reasons, strict=True)]
        assert spread == told
    assert about["task"] == fitted.task
    assert about["inputs"][0]["column"] == kind.inputs
