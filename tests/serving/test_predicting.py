"""What a server says of an application without routes of its own, and how it refuses."""

import asyncio
import json

import pytest
from tests.serving.conftest import sentence

import headwater
from headwater.errors import DataError
from headwater.serving.settings import ServeSettings

TOKEN = "a-token-of-some-length"
GOOD = {"review": "a warm and funny film"}


def test_one_answer_a_row_in_order_with_class_names(serve, reviews):
    rows = [GOOD, {"review": " "}, {"review": 5}, {}, "no object", {"review": "a dull and cold film", "more": 1}]
    found = serve(reviews).post("/predict", json={"rows": rows}).json()["predictions"]
    expected = headwater.load(reviews).predict([GOOD["review"], "a dull and cold film"])
    assert [one["prediction"] for one in found] == ["good", None, None, None, None, "bad"]
    assert found[0]["probabilities"] == dict(zip(("bad", "good"), expected.probabilities[0].tolist(), strict=True))
    assert [one["reason"] for one in found[1:5]] == [
        "the text in column review is empty",
        "column review holds a number, not text",
        "the text in column review is missing",
        "this row is a text, not an object with review",
    ]
    assert found[1]["confidence"] is found[1]["probabilities"] is None


def test_a_row_of_other_columns_is_told_which_came(serve, reviews):
    rows = [{"text": "a dull film", "stars": 1}]
    found = serve(reviews).post("/predict", json={"rows": rows}).json()["predictions"]
    assert found[0]["reason"] == "this row has none of review, but text, stars"


def test_a_cell_of_the_wrong_kind_is_a_matter_of_its_row_alone(serve, reviews):
    client = serve(reviews)
    alone = client.post("/predict", json={"rows": [{"review": 5}]}).json()["predictions"]
    beside = client.post("/predict", json={"rows": [{"review": 5}, GOOD]}).json()["predictions"]
    assert alone == beside[:1]


def test_about_tells_what_it_is_and_how_good(serve, reviews):
    about = serve(reviews).get("/about").json()
    assert about["task"] == "text-classification"
    assert about["inputs"] == [{"column": "review", "kind": "text"}]
    assert about["classes"] == ["bad", "good"]
    assert about["score"]["metric"] == "accuracy"
    assert about["score"]["low"] <= about["score"]["value"] <= about["score"]["high"]
    assert about["headwater"] == headwater.__version__


def test_the_schema_has_the_fields_of_the_application(serve, reviews):
    schema = serve(reviews).get("/openapi.json").json()
    body = schema["paths"]["/predict"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    row = body["properties"]["rows"]["items"]
    assert row["required"] == ["review"]
    assert row["properties"]["review"]["type"] == "string"
    assert row["example"]["review"]
    assert set(schema["paths"]) == {"/health", "/about", "/predict"}


@pytest.mark.parametrize(
    ("body", "status", "told"),
    [
        (b"{", 400, "The body is not JSON that can be read"),
        (b"[" * 9000, 400, "The body is not JSON that can be read"),
        (b"[1]", 400, "The body is not an object"),
        (b"{}", 400, "The body has no list of rows"),
        (b'{"rows": "x"}', 400, "The body has no list of rows"),
        (b'{"rows": [1, 2, 3]}', 413, "There are too many rows in one request. Got 3. Accepted: 2 or fewer"),
        (b"x" * 20_000, 413, "The body of the request is too large. Accepted: 0.01 MiB or less"),
    ],
)
def test_what_is_no_request_is_refused_in_a_sentence(serve, reviews, body, status, told):
    answer = serve(reviews, rows=2, body_mib=0.01).post("/predict", content=body)
    assert answer.status_code == status
    assert told in sentence(answer)
    assert "Traceback" not in answer.text


def test_a_body_without_a_told_length_is_measured_as_it_comes(serve, reviews):
    answer = serve(reviews, body_mib=0.01).post("/predict", content=iter([b"x" * 6000] * 4))
    assert answer.status_code == 413


def test_no_rows_are_no_answers(serve, reviews):
    assert serve(reviews).post("/predict", json={"rows": []}).json() == {"predictions": []}


def test_what_is_not_there_is_told_with_what_is(serve, reviews):
    client = serve(reviews)
    nowhere, wrong = client.get("/nowhere"), client.get("/predict")
    assert (nowhere.status_code, wrong.status_code) == (404, 405)
    assert "/about, /health, /openapi.json, /predict" in sentence(nowhere)


def test_a_text_that_is_no_unicode_is_a_reason(serve, reviews):
    body = '{"rows": [{"review": "\\ud800"}]}'
    found = serve(reviews).post("/predict", content=body).json()["predictions"]
    assert found[0]["reason"] == "column review holds text that is not valid Unicode"


def test_the_model_s_own_refusal_is_an_answer(serve, reviews, monkeypatch):
    client = serve(reviews)
    monkeypatch.setattr("headwater.transfer.supervised.Supervised.predict", _refuse)
    answer = client.post("/predict", json={"rows": [GOOD]})
    assert answer.status_code == 400
    assert answer.json()["error"]["fix"] == "Ask another."
    assert answer.json()["error"]["got"] == "[nan]"


def test_a_bug_is_told_without_its_traceback(serve, reviews, monkeypatch):
    client = serve(reviews)
    monkeypatch.setattr("headwater.transfer.supervised.Supervised.predict", lambda *_: 1 / 0)
    answer = client.post("/predict", json={"rows": [GOOD]})
    assert answer.status_code == 500
    assert "This is a bug in headwater" in sentence(answer)
    assert "division" not in answer.text
    assert client.get("/health").json() == {"status": "ok"}


def test_without_the_token_only_the_page_and_health_are_seen(serve, reviews):
    client = serve(reviews, token=TOKEN)
    assert [client.get(path).status_code for path in ("/", "/health", "/about", "/openapi.json")] == [
        200, 200, 401, 401,
    ]  # fmt: skip
    for given in ("Bearer wrong", f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}", TOKEN):
        answer = client.post("/predict", json={"rows": [GOOD]}, headers={"Authorization": given})
        assert answer.status_code == 401
    assert "The token is missing or wrong" in sentence(answer)
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert client.get("/about", headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 200


def test_a_name_that_a_foreign_page_made_lead_here_is_refused(serve, reviews):
    answer = serve(reviews, host="http://evil.example").get("/about")
    assert answer.status_code == 403
    assert "This server is for its own machine alone" in sentence(answer)


def test_pages_of_another_origin_are_refused(serve, reviews):
    client = serve(reviews)
    answer = client.post("/predict", json={"rows": [GOOD]}, headers={"Origin": "http://evil.example"})
    assert answer.status_code == 403
    assert "Pages of another origin may not ask" in sentence(answer)
    own = client.post("/predict", json={"rows": [GOOD]}, headers={"Origin": "http://127.0.0.1"})
    assert own.status_code == 200


@pytest.mark.parametrize(
    ("headers", "status", "told"),
    [
        ({"Host": "[::1"}, 403, "This server is for its own machine alone"),
        ({"Origin": "http://[::1"}, 403, "Pages of another origin may not ask"),
        ({"Origin": "null"}, 403, "Pages of another origin may not ask"),
        ({"Content-Length": "9" * 5000}, 413, "The body of the request is too large"),
    ],
)
def test_headers_that_cannot_be_read_are_refused(serve, reviews, headers, status, told):
    answer = serve(reviews).post("/predict", content=b"{}", headers=headers)
    assert answer.status_code == status
    assert told in sentence(answer)


@pytest.mark.parametrize(("method", "path"), [("POST", "/predict"), ("GET", "/items")])
def test_more_than_may_wait_are_turned_away(method, path):
    from headwater.serving.guard import Guard

    async def slow(scope, receive, send):
        await asyncio.sleep(0.05)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def ask(guard, method, path):
        told = []
        scope = {"type": "http", "method": method, "path": path, "headers": [(b"host", b"localhost")]}
        send = _collecting(told)
        await guard(scope, _giving(b"{}"), send)
        return told[0]["status"], b"".join(part.get("body", b"") for part in told)

    async def all_at_once():
        guard = Guard(slow, ServeSettings(waiting=2))
        asked = [*[(method, path)] * 3, ("GET", "/health")]
        return await asyncio.gather(*(ask(guard, *one) for one in asked)), guard.waiting

    found, left = asyncio.run(all_at_once())
    assert [status for status, _ in found] == [200, 200, 503, 200]
    assert "Too many requests wait already" in json.loads(found[2][1])["error"]["sentence"]
    assert left == 0


@pytest.mark.parametrize(
    ("messages", "status", "told"),
    [
        ([{"type": "http.request", "body": b"{", "more_body": True}], 408, "The body of the request did not arrive"),
        ([{"type": "http.disconnect"}], 400, "The client left before its request was whole"),
    ],
)
def test_a_body_that_does_not_come_does_not_wait_forever(messages, status, told):
    from headwater.serving.guard import Guard

    async def receive():
        if messages:
            return messages.pop()
        return await asyncio.sleep(60)

    async def ask():
        sent = []
        scope = {"type": "http", "method": "POST", "path": "/predict", "headers": [(b"host", b"[::1]:80")]}
        await Guard(_never, ServeSettings(patience=0.1))(scope, receive, _collecting(sent))
        return sent

    sent = asyncio.run(ask())
    assert sent[0]["status"] == status
    assert told in json.loads(sent[1]["body"])["error"]["sentence"]


def _refuse(*_):
    raise DataError("This cannot be answered", got=[float("nan")], fix="Ask another.")


def _giving(body):
    async def receive():
        return {"type": "http.request", "body": body, "more_body": False}

    return receive


def _collecting(told):
    async def send(message):
        told.append(message)

    return send


async def _never(scope, receive, send):
    raise AssertionError("nothing is asked")
