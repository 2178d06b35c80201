"""A browser without a network, driven through its debugging pipe: nothing but Chromium itself is needed.

with Browser(profile) as browser:
    page = browser.open(path)
    page.type("taxi")
    assert page.value("document.title") == "work - edge-icl"
    assert page.requested == [path.as_uri()] and page.complaints == []
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
PROGRAM = next(filter(None, map(shutil.which, NAMES)), None)
"""The first browser of these names that is here; None where there is none."""

PATIENCE = 60.0

OFFLINE = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--hide-scrollbars",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--proxy-server=127.0.0.1:9",
    "--remote-debugging-pipe",
]
"""A browser that nobody sees; what would leave the machine meets a proxy that does not exist."""


class Browser:
    """A browser with a profile of its own.

    Args:
        profile: an empty folder.
    """

    def __init__(self, profile: Path) -> None:
        hear, self._write = os.pipe()
        self._read, say = os.pipe()
        command = [PROGRAM or "chromium", *OFFLINE, f"--user-data-dir={profile}", "about:blank"]
        # The browser hears on descriptor 3 and says on 4.
        self._process = subprocess.Popen(
            ["bash", "-c", f'exec "$@" 3<&{hear} 4>&{say}', "bash", *command],
            pass_fds=[hear, say],
            stderr=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )
        os.close(hear)
        os.close(say)
        self._heard = b""
        self._count = 0
        self.events: list[dict[str, Any]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._write)
        os.close(self._read)

    def call(self, method: str, session: str | None = None, **parameters: object) -> dict[str, Any]:
        """Have the browser do something, and return what it answers."""
        self._count += 1
        message = {"id": self._count, "method": method, "params": parameters}
        if session is not None:
            message["sessionId"] = session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._hear()
            if answer.get("id") == self._count:
                assert "error" not in answer, answer
                return answer["result"]
            self.events.append(answer)

    def _hear(self) -> dict[str, Any]:
        """Return the next message."""
        while b"\0" not in self._heard:
            piece = os.read(self._read, 1 << 20)
            assert piece, "the browser has ended"
            self._heard += piece
        message, _, self._heard = self._heard.partition(b"\0")
        return json.loads(message)

    def open(
        self,
        path: Path,
        *,
        query: str = "",
        width: int = 1280,
        height: int = 900,
        scheme: str = "light",
        scripts: bool = True,
    ) -> Page:
        """Open a file in a new tab, and return it when it is loaded."""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        page = Page(self, session)
        for domain in ("Page", "Runtime", "Log", "Network"):
            page.call(f"{domain}.enable")
        media = [{"name": "prefers-color-scheme", "value": scheme}]
        page.call("Emulation.setEmulatedMedia", features=media)
        page.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False
        )
        page.call("Emulation.setScriptExecutionDisabled", value=not scripts)
        page.call("Page.navigate", url=path.as_uri() + query)
        page.until("document.readyState === 'complete' && location.protocol === 'file:'")
        return page


class Page:
    """A file in a tab."""

    def __init__(self, browser: Browser, session: str) -> None:
        self._browser = browser
        self._session = session

    def call(self, method: str, **parameters: object) -> dict[str, Any]:
        """Have the browser do something to this tab."""
        return self._browser.call(method, self._session, **parameters)

    def value(self, script: str) -> Any:
        """Return the value of an expression in the page."""
        result = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    def until(self, script: str) -> None:
        """Wait until an expression is true."""
        end = time.monotonic() + PATIENCE
        while not self.value(script):
            assert time.monotonic() < end, script
            time.sleep(0.02)

    def type(self, text: str) -> None:
        """Type a text, a character at a time, into what has the focus."""
        for character in text:
            self.call("Input.dispatchKeyEvent", type="keyDown", text=character, key=character)
            self.call("Input.dispatchKeyEvent", type="keyUp", key=character)

    def press(self, key: str) -> None:
        """Press a key that writes nothing."""
        for kind in ("rawKeyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key)

    def picture(self) -> bytes:
        """Return what is seen, as PNG."""
        return base64.b64decode(self.call("Page.captureScreenshot")["data"])

    def _parameters(self, *methods: str) -> list[dict[str, Any]]:
        return [
            event["params"]
            for event in self._browser.events
            if event.get("sessionId") == self._session and event["method"] in methods
        ]

    @property
    def requested(self) -> list[str]:
        """Every address that the page asked for."""
        return [event["request"]["url"] for event in self._parameters("Network.requestWillBeSent")]

    @property
    def complaints(self) -> list[str]:
        """What the browser complained of: errors, and what the page's policy has stopped."""
        events = self._parameters("Log.entryAdded", "Runtime.exceptionThrown", "Runtime.consoleAPICalled")
        return [json.dumps(event) for event in events]
