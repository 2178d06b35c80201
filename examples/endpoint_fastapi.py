r"""An endpoint on this machine (FastAPI) that answers, learns and forgets, for programs that are not in Python.

    pip install edge-icl fastapi uvicorn
    EDGE_ICL_TOKEN=$(openssl rand -hex 32) python examples/endpoint_fastapi.py --store work
    curl -H "Authorization: Bearer $EDGE_ICL_TOKEN" --json '{"question": "Taxi"}' http://127.0.0.1:8765/ask

POST /ask answers, POST /examples teaches a list of pairs, DELETE /examples/ID forgets. It listens on 127.0.0.1
alone, but other users of this machine reach that, and pages in a browser do. So every request needs the token
(one is made and printed if none is set), and must be addressed to this machine: a page that points a name of
its own here (DNS rebinding) is refused. Nothing is encrypted on its way: do not put this on a network.
"""

import argparse
import contextlib
import hmac
import os
import secrets
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Literal

import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.middleware.trustedhost import TrustedHostMiddleware
from fastapi.responses import JSONResponse
from pydantic import BaseModel

import edge_icl
from edge_icl.aio import AsyncMemory

STATUS = {edge_icl.InputError: 422, edge_icl.ExampleNotFoundError: 404, edge_icl.StoreEmptyError: 409}


class Question(BaseModel):
    question: str
    labels: Literal["auto", "on", "off"] = "auto"
    abstain: float | None = None


class Pair(BaseModel):
    input: str
    output: str


def application(store: str, token: str) -> FastAPI:
    """Return an ASGI application that opens the store when it starts, and closes it when it ends."""

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with await AsyncMemory.open(store) as app.state.memory:
            yield

    app = FastAPI(lifespan=lifespan, openapi_url=None)

    @app.middleware("http")
    async def guard(request: Request, answer: Callable[[Request], Awaitable[Response]]) -> Response:
        """Refuse who has no token, before anything that they send is read."""
        given = request.headers.get("Authorization", "")
        if not hmac.compare_digest(given.encode(), f"Bearer {token}".encode()):
            return JSONResponse({"error": "this needs the token"}, 401, {"WWW-Authenticate": "Bearer"})
        return await answer(request)

    app.add_middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"], www_redirect=False)

    @app.exception_handler(edge_icl.EdgeIclError)
    async def refused(_: Request, error: edge_icl.EdgeIclError) -> JSONResponse:
        return JSONResponse({"error": str(error)}, STATUS.get(type(error), 500))

    @app.post("/ask")
    async def ask(asked: Question) -> dict[str, Any]:
        options = {"labels": asked.labels, "abstain": asked.abstain}
        return (await app.state.memory.ask(asked.question, **options)).as_json()

    @app.post("/examples", status_code=201)
    async def add(pairs: list[Pair]) -> dict[str, Any]:
        return (await app.state.memory.add_many([pair.model_dump() for pair in pairs])).as_json()

    @app.delete("/examples/{id}")
    async def forget(id: str) -> dict[str, Any]:
        return (await app.state.memory.forget(id)).as_json()

    return app


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--store", default="default", help="its name, or its path")
    parser.add_argument("--port", type=int, default=8765, help="0 for one that is free (8765)")
    options = parser.parse_args()
    token = os.environ.get("EDGE_ICL_TOKEN")
    if not token:
        token = secrets.token_urlsafe()
        print(f"EDGE_ICL_TOKEN={token}", flush=True)
    try:
        edge_icl.Memory.open(options.store).close()
    except edge_icl.EdgeIclError as error:
        sys.exit(f"endpoint_fastapi: error: {error}")
    uvicorn.run(application(options.store, token), host="127.0.0.1", port=options.port, access_log=False)


if __name__ == "__main__":
    main()
