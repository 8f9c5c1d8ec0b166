"""One headless Chromium for many pages, driven over a pipe (Chrome DevTools Protocol, `--remote-debugging-pipe`).

Unlike `tests.support.chromium` it runs in real time, so that pages can be scrolled and watched.
"""

import base64
import json
import os
import select
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.chromium import FLAGS
from tests.support.programs import needs

WITH_PIPES = 'in="$1" out="$2"; shift 2; exec "$@" 3<&"$in" 4>&"$out"'
DEADLINE_S = 60.0


@dataclass
class Browser:
    """A running Chromium; gives pages, one after the other, each with cookies of its own."""

    send_to: int
    receive_from: int
    buffer: bytes = b""
    calls: int = 0
    events: list[dict[str, Any]] = field(default_factory=list)
    context: str | None = None

    def call(self, method: str, session: str | None = None, **params: Any) -> dict[str, Any]:
        """Call a method of the protocol and return its result."""
        self.calls += 1
        message = {"id": self.calls, "method": method, "params": params}
        os.write(self.send_to, json.dumps(message | ({"sessionId": session} if session else {})).encode() + b"\0")
        while True:
            told = self._receive()
            if told.get("id") == self.calls:
                assert "error" not in told, (method, told)
                result: dict[str, Any] = told["result"]
                return result
            self.events.append(told)

    def _receive(self) -> dict[str, Any]:
        while b"\0" not in self.buffer:
            ready, _, _ = select.select([self.receive_from], [], [], DEADLINE_S)
            assert ready, "the browser says nothing"
            self.buffer += os.read(self.receive_from, 1 << 20)
        message, _, self.buffer = self.buffer.partition(b"\0")
        told: dict[str, Any] = json.loads(message)
        return told

    def page(self, url: str = "about:blank", width: int = 1000, height: int = 700) -> "Page":
        """Open a page in a context of its own, and close the one before."""
        if self.context is not None:
            self.call("Target.disposeBrowserContext", browserContextId=self.context)
        self.context = self.call("Target.createBrowserContext")["browserContextId"]
        target = self.call("Target.createTarget", url="about:blank", browserContextId=self.context)["targetId"]
        page = Page(self, self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"])
        for domain in ("Page", "Runtime", "Log"):
            page.call(f"{domain}.enable")
        page.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        if url != "about:blank":
            page.go(url)
        return page


@dataclass(frozen=True)
class Page:
    """A page in a browser."""

    browser: Browser
    session: str

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        return self.browser.call(method, self.session, **params)

    def go(self, url: str, *, scripts: bool = True) -> None:
        """Load a document, and return when its `load` event is over."""
        self.call("Emulation.setScriptExecutionDisabled", value=not scripts)
        self.run("old = true")
        self.call("Page.navigate", url=url)
        self.until('typeof old == "undefined" && document.readyState == "complete"')

    def run(self, script: str) -> Any:
        """Return an expression's value, awaited where it is a promise."""
        done = self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in done, done["exceptionDetails"]
        return done["result"].get("value")

    def until(self, condition: str) -> None:
        """Wait until an expression is true."""
        end = time.monotonic() + DEADLINE_S
        while not self.run(f"Boolean({condition})"):
            assert time.monotonic() < end, f"never: {condition}\n{self.html()[:3000]}"
            time.sleep(0.02)

    def html(self) -> str:
        """Return the document as it is now."""
        return str(self.run("document.documentElement.outerHTML"))

    def complaints(self) -> list[str]:
        """Return what scripts threw and what the console was told as errors."""
        self.run("1")
        told = []
        for event in self.browser.events:
            if event.get("sessionId") == self.session:
                params = event["params"]
                if event["method"] == "Runtime.exceptionThrown":
                    told.append(params["exceptionDetails"]["exception"]["description"])
                elif event["method"] == "Log.entryAdded" and params["entry"]["level"] == "error":
                    told.append(params["entry"]["text"])
        return told

    def screenshot(self, file: Path) -> None:
        """Take a picture of what can be seen."""
        file.write_bytes(base64.b64decode(self.call("Page.captureScreenshot")["data"]))


@contextmanager
def browser(profile: Path, *flags: str) -> Iterator[Browser]:
    """Run Chromium, with these flags beside the usual ones, until the end of the block."""
    program = needs("chromium", "chromium")
    to_read, to_send = os.pipe()
    to_receive, to_write = os.pipe()
    arguments = [program, *FLAGS, *flags, "--remote-debugging-pipe", f"--user-data-dir={profile}", "about:blank"]
    command = ["bash", "-c", WITH_PIPES, "bash", str(to_read), str(to_write), *arguments]
    process = subprocess.Popen(command, pass_fds=(to_read, to_write), stderr=subprocess.DEVNULL)
    os.close(to_read)
    os.close(to_write)
    try:
        started = Browser(to_send, to_receive)
        yield started
        started.call("Browser.close")
        process.wait(timeout=60)
    finally:
        process.kill()
        process.wait(timeout=60)
        os.close(to_send)
        os.close(to_receive)
