"""The page's script that reports events, run against a page of two marked elements."""

import json
import subprocess
from pathlib import Path

import tessera.demo
from tests.support.programs import needs

SCRIPT = Path(tessera.demo.__file__).parent / "templates" / "partials" / "events.js"
PAGE = """
const told = [], listeners = {}, removed = [];
const notice = name => ({dataset: {tesseraShown: name}, remove: () => removed.push(name)});
const button = {dataset: {tesseraDismiss: "a"}};
button.closest = what => what.includes("dismiss") ? button : notice("a");
globalThis.Blob = class { constructor(parts, options) { this.text = parts[0]; this.type = options.type } };
const navigator = {sendBeacon: (to, blob) => told.push([to, blob.type, blob.text])};
globalThis.document = {
  hidden: true,
  querySelectorAll: () => [notice("a"), notice("b")],
  addEventListener: (name, listener) => { listeners[name] = listener },
};
"""
AFTERWARDS = """
const before = told.length;
document.hidden = false;
listeners.visibilitychange();
listeners.click({target: {closest: () => null}});
listeners.click({target: button});
console.log(JSON.stringify({before, told, removed}));
"""


def test_what_is_seen_and_what_is_sent_away_is_reported() -> None:
    program = PAGE + SCRIPT.read_text(encoding="utf-8") + ";" + AFTERWARDS
    done = subprocess.run(
        [needs("node", "nodejs"), "-e", program], capture_output=True, text=True, timeout=60, check=True
    )
    result = json.loads(done.stdout)
    assert result["before"] == 0  # while nobody looks
    assert {(to, kind) for to, kind, _ in result["told"]} == {("/events", "application/json")}
    assert [json.loads(text) for *_, text in result["told"]] == [
        {"event": "shown", "of": "a"},
        {"event": "shown", "of": "b"},
        {"event": "dismissed", "of": "a"},
    ]
    assert result["removed"] == ["a"]
