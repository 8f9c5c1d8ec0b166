"""The demo shop's Content-Security-Policy in a real browser: whatever the templates say runs, and nothing else."""

import pytest

from tests.support.browser import Browser

PAGES = ["/pages/home", "/de/pages/product?sku=TENT-001", "/pages/category?category=tents", "/pages/cart"]


@pytest.mark.parametrize("composer", ["buffer", "stream"])
@pytest.mark.parametrize("path", PAGES)
def test_no_page_breaks_its_policy(chromium: Browser, demo: str, path: str, composer: str) -> None:
    page = chromium.page(f"{demo}/personas/maren?to=/pages/cart")
    page.go(f"{demo}{path}{'&' if '?' in path else '?'}compose={composer}")
    assert page.complaints() == []
    assert page.run('getComputedStyle(document.querySelector("footer")).display') != "inline"
    assert page.run("getComputedStyle(document.body).margin") == "0px"


INJECTED = """(() => {
  const script = document.createElement("script")
  script.textContent = "document.title = 'taken'"
  document.body.append(script)
  const style = document.createElement("style")
  style.textContent = "body { margin: 77px }"
  document.body.append(style)
  const link = document.createElement("a")
  link.setAttribute("onclick", "document.title = 'taken'")
  document.body.append(link)
  link.click()
  return [document.title, getComputedStyle(document.body).margin]
})()"""


def test_what_slips_into_a_page_neither_runs_nor_styles_it(chromium: Browser, demo: str) -> None:
    page = chromium.page(f"{demo}/pages/home?compose=stream")
    title, margin = page.run(INJECTED)
    assert (title == "taken", margin) == (False, "0px")
    assert sum("Content Security Policy" in each for each in page.complaints()) == 3
