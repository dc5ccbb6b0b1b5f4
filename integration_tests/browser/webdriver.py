"""A headless Chromium, spoken to by the W3C WebDriver protocol."""

import base64
import json
import pathlib
import re
import shutil
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

_ELEMENT = "element-6066-11e4-a52e-4f735466cecf"

_BROWSER_OPTIONS = [
    "--headless=new",
    "--no-sandbox",  # Chromium refuses to run as root with one
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--disable-sync",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
    "--force-device-scale-factor=1",
]


class Browser:
    """One window. Leaves nothing behind."""

    def __init__(self, chromedriver, chromium):
        self._profile = tempfile.mkdtemp(prefix="status-page-")
        self._driver = subprocess.Popen(
            [chromedriver, "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self._address = self._read_address()
        self._session = None
        capabilities = {"alwaysMatch": {
            "browserName": "chrome",
            "goog:loggingPrefs": {"browser": "ALL"},
            "goog:chromeOptions": {
                "binary": chromium,
                "args": _BROWSER_OPTIONS + [f"--user-data-dir={self._profile}"],
            },
        }}
        answer = self._call("POST", "/session", {"capabilities": capabilities}, timeout=90)
        self._session = answer["sessionId"]

    def _read_address(self):
        for line in self._driver.stdout:
            found = re.search(r"started successfully on port (\d+)", line)
            if found:
                return f"http://127.0.0.1:{found[1]}"
        raise RuntimeError("chromedriver has not started")

    def _call(self, method, path, body=None, timeout=60):
        prefix = "" if path == "/session" else f"/session/{self._session}"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._address + prefix + path, data=data, method=method)
        request.add_header("Content-Type", "application/json")
        try:
            with urllib.request.urlopen(request, timeout=timeout) as response:
                return json.load(response)["value"]
        except urllib.error.HTTPError as error:
            raise RuntimeError(f"{method} {path}: {error.read().decode()}") from error

    def open(self, url):
        self._call("POST", "/url", {"url": url})

    def run(self, script, *arguments):
        """Runs the body of a function in the page and gives what it returns."""
        return self._call("POST", "/execute/sync", {"script": script, "args": list(arguments)})

    def wait_until(self, script, seconds=30):
        """Waits until the expression is true in the page."""
        deadline = time.monotonic() + seconds
        while not self.run(f"return Boolean({script});"):
            if time.monotonic() > deadline:
                raise AssertionError(f"the page does not come to: {script}")
            time.sleep(0.1)

    def find(self, selector):
        return self._call("POST", "/element", {"using": "css selector", "value": selector})[_ELEMENT]

    def click(self, selector):
        self._call("POST", f"/element/{self.find(selector)}/click", {})

    def type(self, selector, text):
        self._call("POST", f"/element/{self.find(selector)}/value", {"text": text})

    def set_view(self, width, height, scheme):
        """`scheme`: light or dark."""
        self._devtools("Emulation.setDeviceMetricsOverride",
                       {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False})
        self._devtools("Emulation.setScrollbarsHidden", {"hidden": True})
        self._devtools("Emulation.setEmulatedMedia",
                       {"features": [{"name": "prefers-color-scheme", "value": scheme}]})

    def _devtools(self, command, parameters):
        return self._call("POST", "/goog/cdp/execute", {"cmd": command, "params": parameters})

    def take_picture(self, path):
        """All of the page, as PNG."""
        picture = self._devtools("Page.captureScreenshot",
                                 {"format": "png", "captureBeyondViewport": True})
        pathlib.Path(path).write_bytes(base64.b64decode(picture["data"]))

    def complaints(self):
        """What the browser's console has said since the last call."""
        entries = self._call("POST", "/se/log", {"type": "browser"})
        return [entry["message"] for entry in entries if entry["level"] in ("WARNING", "SEVERE")]

    def close(self):
        try:
            if self._session is not None:
                self._call("DELETE", "")
        finally:
            self._driver.terminate()
            self._driver.wait(10)
            self._driver.stdout.close()
            shutil.rmtree(self._profile, ignore_errors=True)
