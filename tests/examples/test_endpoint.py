"""The endpoint answers, learns and forgets for who has the token, on this machine and under its name only."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from expenses import PAIRS
from one_page import EXAMPLES, load, refused_page, run_page

from edge_icl import Memory

testclient = pytest.importorskip("fastapi.testclient", reason="FastAPI is not installed", exc_type=ImportError)

TOKEN = "a token"
ALLOWED = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture
def client(models_home: Path) -> Iterator[testclient.TestClient]:
    application = load("endpoint_fastapi").application("work", TOKEN)
    with testclient.TestClient(application, base_url="http://127.0.0.1:8765", headers=ALLOWED) as client:
        yield client


def test_pairs_are_taught_questions_answered_and_examples_forgotten(client: testclient.TestClient) -> None:
    taught = client.post("/examples", json=[{"input": input, "output": label} for input, label in PAIRS])
    assert (taught.status_code, taught.json()["added"]) == (201, len(PAIRS))

    answer = client.post("/ask", json={"question": "Printer toner"}).json()
    assert (answer["answer"], answer["kind"]) == ("office", "recalled")

    receipt = client.delete(f"/examples/{answer['examples'][0]['id']}").json()
    assert receipt["forgotten"] == 1
    again = client.post("/ask", json={"question": "Printer toner", "labels": "on"}).json()
    assert (again["answer"], again["kind"]) == ("office", "judged")
    with Memory.open("work") as memory:
        assert memory.root == receipt["root_after"]
        assert not memory.find(match="toner")


def test_who_has_no_token_or_comes_by_another_name_is_refused(client: testclient.TestClient) -> None:
    rows = [{"input": "Taxi", "output": "travel"}]
    for wrong in ("", "Bearer", "Bearer a", f"Basic {TOKEN}", "Bearer \u00e9", f"bearer {TOKEN}"):
        refused = client.post("/examples", json=rows, headers={"Authorization": wrong.encode()})
        assert refused.status_code == 401, wrong
    for host in ("evil.example", "evil.example:8765", "127.0.0.1.evil.example", "0.0.0.0", ""):
        assert client.post("/examples", json=rows, headers={"Host": host}).status_code == 400, host
    assert client.post("/examples", json=rows, headers={"Host": "localhost:8765"}).status_code == 201
    assert client.get("/docs").status_code == client.get("/openapi.json").status_code == 404


def test_what_is_asked_wrongly_is_one_sentence(client: testclient.TestClient) -> None:
    empty = client.post("/ask", json={"question": "Taxi"})
    assert (empty.status_code, "no examples" in empty.json()["error"]) == (409, True)
    assert client.post("/examples", json=[{"input": " ", "output": "x"}]).status_code == 422
    assert client.post("/examples", json=[{"input": "x"}]).status_code == 422
    assert client.post("/ask", json={"question": "Taxi", "abstain": 7}).status_code == 422
    gone = client.delete("/examples/ffff")
    assert (gone.status_code, "no example has the id ffff" in gone.json()["error"]) == (404, True)


def test_it_listens_on_this_machine_alone_and_ends_with_ctrl_c(models_home: Path) -> None:
    with Memory.create("work") as memory:
        memory.add_many(PAIRS)
    command = [sys.executable, EXAMPLES / "endpoint_fastapi.py", "--store", "work", "--port", "0"]
    environment = os.environ | {"EDGE_ICL_TOKEN": TOKEN}
    with subprocess.Popen(command, stderr=subprocess.PIPE, env=environment, text=True) as server:
        watchdog = threading.Timer(120, server.kill)
        watchdog.start()
        try:
            host, port = next(
                filter(None, (re.search(r"http://(\S+):(\d+)", line) for line in server.stderr))
            ).groups()
            asked = Request(f"http://{host}:{port}/ask", json.dumps({"question": "Printer toner"}).encode())
            asked.add_header("Content-Type", "application/json")
            with pytest.raises(HTTPError, match="401"):
                urlopen(asked)
            asked.add_header("Authorization", f"Bearer {TOKEN}")
            with urlopen(asked) as answer:
                assert json.load(answer)["answer"] == "office"
            server.send_signal(signal.SIGINT)
            _, told = server.communicate()
        finally:
            watchdog.cancel()
            server.kill()
    assert host == "127.0.0.1"
    assert "Traceback" not in told
    assert "Application shutdown complete" in told


def test_what_is_no_store_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no store")

    ran = run_page("endpoint_fastapi", "--store", tmp_path / "file")

    refused_page(ran, "endpoint_fastapi", "not a store")
    assert re.fullmatch(r"EDGE_ICL_TOKEN=[\w-]{40,}\n", ran.out)
