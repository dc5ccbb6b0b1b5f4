"""Looks at the status page of a read as a person does: in a browser, while the read goes on.

Environment: SOURCE_VITESS_PROGRAM, SOURCE_VITESS_SIMULATOR, CHROMIUM and CHROMEDRIVER (paths),
SOURCE_VITESS_PICTURES (a folder, made anew).
"""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from webdriver import Browser  # noqa: E402  (its folder is no package)

ROWS = 20_000
STEP = 500
BYTES_PER_SECOND = 300_000  # what the host takes: a read of about 15 s

# The contrast that WCAG 2 asks of text (AA).
LEAST_CONTRAST = 4.5

VIEWS = {
    "light-wide": (1280, 900, "light"),
    "dark-wide": (1280, 900, "dark"),
    "light-narrow": (390, 844, "light"),
    "dark-narrow": (390, 844, "dark"),
}

# Texts whose colour is too close to that of what they stand on.
PALE_TEXTS = """
const least = arguments[0];
const parts = (color) => color.match(/[\\d.]+/g).map(Number);
const light = (color) => {
  const [r, g, b] = parts(color).map((v) => v / 255)
    .map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const ground = (node) => {
  for (; node; node = node.parentElement) {
    const color = getComputedStyle(node).backgroundColor;
    const alpha = parts(color)[3];
    if (alpha === undefined || alpha > 0.5) return color;
  }
  return 'rgb(255, 255, 255)';
};
const pale = [];
for (const node of document.querySelectorAll('body *')) {
  const own = [...node.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim() !== '');
  if (!own || node.getClientRects().length === 0) continue;
  const a = light(getComputedStyle(node).color);
  const b = light(ground(node));
  const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  if (contrast < least) pale.push(`${node.tagName} ${node.textContent} ${contrast.toFixed(2)}`);
}
return pale;
"""


def seed():
    """A keyspace of two shards with a large table and a small one, whose name wants escaping."""
    lines = [
        "create keyspace commerce shards ('-80', '80-');",
        "use commerce;",
        "create table orders (id bigint not null, note varchar(200), primary key (id));",
        "alter vschema on commerce.orders add vindex hash(id);",
        "create table `<b>notes</b>` (id bigint not null, note varchar(200), primary key (id));",
        "alter vschema on commerce.`<b>notes</b>` add vindex hash(id);",
        "insert into `<b>notes</b>` values (1, 'one'), (2, 'two');",
    ]
    for first in range(0, ROWS, STEP):
        values = ", ".join(f"({i}, repeat('x', 100))" for i in range(first, first + STEP))
        lines.append(f"insert into orders values {values};")
    return "\n".join(lines)


class Host:
    """Reads what the connector prints, slowly."""

    def __init__(self, command):
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE)
        self._found = threading.Event()
        self.page = None
        self._hurry = False
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def _read(self):
        begin = b""
        while chunk := os.read(self._process.stdout.fileno(), 16384):
            if self.page is None:
                begin += chunk
                found = re.search(rb"The status page is at (http://[^ ]+/)", begin)
                if found:
                    self.page = found[1].decode()
                    self._found.set()
            if not self._hurry:
                time.sleep(len(chunk) / BYTES_PER_SECOND)
        self._found.set()

    def wait_for_page(self):
        self._found.wait(60)
        assert self.page is not None, "the connector told no address"

    def finish(self):
        self._hurry = True
        self._thread.join()
        self._process.stdout.close()
        return self._process.wait(60)


class StatusPageTest(unittest.TestCase):

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="status-page-"))
        self.addCleanup(shutil.rmtree, self.folder)
        program = os.environ["SOURCE_VITESS_PROGRAM"]
        (self.folder / "seed.sql").write_text(seed())
        simulator = subprocess.Popen(
            [os.environ["SOURCE_VITESS_SIMULATOR"], "--packet-bytes", "20000",
             "--seed", str(self.folder / "seed.sql")], stdout=subprocess.PIPE, text=True)
        self.addCleanup(simulator.stdout.close)
        self.addCleanup(simulator.wait, 30)
        self.addCleanup(simulator.kill)
        port = int(simulator.stdout.readline().rsplit(":", 1)[1])
        self.write("config.json", {"host": "127.0.0.1", "port": port, "keyspaces": ["commerce"]})
        discovered = subprocess.run([program, "discover", "--config", self.path("config.json")],
                                    stdout=subprocess.PIPE, check=True)
        catalog = next(json.loads(line)["catalog"] for line in discovered.stdout.splitlines()
                       if b'"CATALOG"' in line)
        self.write("catalog.json", {"streams": [
            {"stream": stream, "sync_mode": "incremental", "destination_sync_mode": "append_dedup"}
            for stream in catalog["streams"]]})
        self.host = Host([program, "read", "--config", self.path("config.json"),
                          "--catalog", self.path("catalog.json"), "--status-port", "0"])
        self.addCleanup(self.host.finish)
        self.host.wait_for_page()
        self.browser = Browser(os.environ["CHROMEDRIVER"], os.environ["CHROMIUM"])
        self.addCleanup(self.browser.close)

    def path(self, name):
        return str(self.folder / name)

    def write(self, name, content):
        (self.folder / name).write_text(json.dumps(content))

    def text(self, selector):
        return self.browser.run("return document.querySelector(arguments[0]).textContent;", selector)

    def number(self, selector):
        return int(self.text(selector).replace(",", ""))

    def test_a_person_can_watch_a_read(self):
        browser = self.browser
        browser.open(self.host.page)
        browser.wait_until("document.querySelectorAll('#tables tr').length === 2")
        with self.subTest("numbers move without a reload"):
            before = self.number("#copied")
            browser.wait_until(
                f"Number(document.querySelector('#copied').textContent.replaceAll(',', '')) > {before}")
            browser.wait_until("document.querySelector('#rate-chart path.line') !== null")
            self.assertEqual(self.text("#state"), "running")
        with self.subTest("names are text"):
            self.assertIn("<b>notes</b>", self.text("#tables"))
        with self.subTest("a click opens a table's shards"):
            browser.click('[data-table="commerce.orders"]')
            browser.wait_until("document.querySelectorAll('tr.detail').length === 2")
            self.assertIn("shard -80", self.text("#tables"))
        with self.subTest("what is open stays open"):
            elapsed = self.text("#elapsed")
            browser.wait_until(f"document.querySelector('#elapsed').textContent !== '{elapsed}'")
            self.assertEqual(
                browser.run("return document.querySelectorAll('tr.detail').length;"), 2)
        self.look_at_it()
        with self.subTest("the filter leaves the tables that fit"):
            browser.type("#filter", "NOTES")
            browser.wait_until("document.querySelectorAll('#tables tr').length === 1")
        with self.subTest("the browser has nothing to complain of"):
            self.assertEqual(browser.complaints(), [])
        self.assertEqual(self.host.finish(), 0)
        with self.subTest("the end is told"):
            browser.wait_until("document.querySelector('#state').textContent === 'no answer'")
            self.assertIn("has ended", self.text("#problem"))

    def look_at_it(self):
        pictures = pathlib.Path(os.environ["SOURCE_VITESS_PICTURES"])
        shutil.rmtree(pictures, ignore_errors=True)
        pictures.mkdir(parents=True)
        for name, (width, height, scheme) in VIEWS.items():
            with self.subTest(view=name):
                self.browser.set_view(width, height, scheme)
                self.browser.take_picture(pictures / f"{name}.png")
                self.assertEqual(
                    self.browser.run("return document.documentElement.scrollWidth;"), width)
                self.assertEqual(self.browser.run(PALE_TEXTS, LEAST_CONTRAST), [])


if __name__ == "__main__":
    unittest.main()
