"""`assets:` in a template's comment: addresses of style sheets, scripts, fonts and images, and nothing else."""

import pytest

from tests.renderer.engines.loading import complaints, load, template


@pytest.mark.parametrize(
    "address",
    ["rail.css", "//cdn.example/a.js", "http://cdn.example/a.js", "/a.txt", "/a.css;x", '/"a.css', "/<a.css", "/a css"],
)
def test_what_is_no_address_of_an_asset_is_an_error_where_it_stands(address: str) -> None:
    told = complaints(load({"a.jinja": f"<p>\n{{# assets: /ok.css, {address} #}}"}))
    (line, *_) = told.splitlines()
    wrong = address.partition(" ")[0]
    assert line == f"templates/a.jinja:2:21: error[T118]: `{wrong}` is no address of an asset"
    assert "`.css`, `.js`" in told


def test_assets_are_those_of_partials_too_each_once() -> None:
    shown = template(
        "{% # assets: /b.css %}{% render 'inner' %}{% fragment %}{% # assets: /d.js %}{% endfragment %}",
        inner="{% # assets: /a.css, /b.css %}",
    )
    assert sorted(each.address for each in shown.assets) == ["/a.css", "/b.css", "/d.js"]


def test_a_change_of_assets_is_another_version() -> None:
    assert template("{% # assets: /a.css %}").version != template("{% # assets: /b.css %}").version
