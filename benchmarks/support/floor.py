"""The four fragments by hand: what Python can do with f-strings, and every value escaped by `markupsafe.escape`."""

from collections.abc import Callable, Mapping
from typing import Any

from markupsafe import escape

Inputs = Mapping[str, Any]


def hero(inputs: Inputs) -> str:
    visitor, cta, shown, arm = inputs["visitor"], inputs["cta"], inputs["hero"], inputs["experiment"]["arm"]
    hello = f"Welcome back, {escape(visitor['first_name'])}" if visitor["first_name"] else _welcome(inputs)
    if visitor["tier"] in ("gold", "platinum"):
        member = f"{escape(visitor['points'])} points, and the winter range before everybody else."
    elif visitor["visits"] > 3:
        member = f"Good to see you for the {escape(visitor['visits'])}th time."
    else:
        member = ""
    told = f'<p class="member">{member}</p>' if member else ""
    message = f"<small>{escape(cta['message'])}</small>" if cta["message"] else ""
    link = (
        f'<a class="cta" href="/go?to={escape(cta["url"])}&amp;goal={escape(cta["goal"])}" '
        f'data-cta="{escape(cta["id"])}">{escape(cta["text"])}</a>{message}'
        if cta["url"]
        else ""
    )
    return (
        f'<section class="hero hero-{escape(visitor["tier"].lower())}" data-arm="{escape(arm)}">'
        f'<p class="hello">{hello}!</p>{told}<h2 id="hero">{escape(shown["headline"])}</h2>\n'
        f'<p>{escape(shown["text"])}</p>\n<img src="/img/{escape(shown["image"])}.jpg" alt="{escape(shown["alt"])}" '
        f'width="1200" height="480">{link}</section>'
    )


def rail(inputs: Inputs) -> str:
    items = inputs["items"]
    last = len(items) - 1
    cards = [
        card(inputs, item, index + 1, " first" if index == 0 else " last" if index == last else "")
        for index, item in enumerate(items)
    ]
    return (
        f'<section class="rail" aria-labelledby="rail"><h2 id="rail">{escape(inputs["rail"]["title"])} '
        f"({escape(len(items))})</h2>\n<ul>{''.join(cards) or '<li>Nothing here yet.</li>'}</ul></section>"
    )


def card(inputs: Inputs, item: Inputs, position: int, place: str = "") -> str:
    was = f"<del>{escape(item['was'])}</del>" if item["was"] else ""
    tags = "".join([f"<i>{escape(tag)}</i>" for tag in item["tags"]])
    left = f"<em>Only {escape(item['stock'])} left</em>" if item["stock"] < 5 else ""
    rating = (
        f"<small>{escape(item['rating'])} of 5, {escape(item['reviews'])} reviews</small>" if item["rating"] else ""
    )
    return (
        f'<li class="card{place}" data-sku="{escape(item["sku"])}" data-position="{escape(position)}">\n'
        f'<a href="/p/{escape(item["slug"])}?ref={escape(inputs["page"]["name"])}">\n'
        f'<img src="/img/{escape(item["image"])}.jpg" alt="{escape(item["title"])}" loading="lazy">\n'
        f"<b>{escape(item['brand'].upper())}</b>\n<span>{escape(item['title'])}</span></a>{was}"
        f"<ins>{escape(item['price'])}</ins>{tags}{left}{rating}</li>"
    )


def nav(inputs: Inputs) -> str:
    departments = "".join([_department(inputs, department) for department in inputs["departments"]])
    return f'<nav aria-label="{escape(inputs["shop"]["name"])}"><ul>{departments}</ul></nav>'


def landing(inputs: Inputs) -> str:
    promises = "".join(
        [
            f'<p class="promise promise-{escape(promise["kind"])}"><b>{escape(promise["title"])}</b> '
            f"{escape(promise['text'])}</p>"
            for promise in inputs["promises"]
        ]
    )
    cards = "".join([card(inputs, item, position) for position, item in enumerate(inputs["items"], 1)])
    shop = inputs["shop"]
    return (
        f'<main>{nav(inputs)}{hero(inputs)}<div class="promises">{promises}</div>\n'
        f"<h2>{escape(inputs['rail']['title'])}</h2>\n<ul>{cards}</ul>\n"
        f"<footer>{escape(shop['name'])}, {escape(shop['city'])}</footer>\n</main>"
    )


def _welcome(inputs: Inputs) -> str:
    return f"Welcome to {escape(inputs['shop']['name'])}"


def _department(inputs: Inputs, department: Inputs) -> str:
    slug, page = department["slug"], inputs["page"]
    categories = "".join([_category(slug, category, page) for category in department["categories"]])
    return (
        f'<li class="department{" open" if slug == page["department"] else ""}">\n<a href="/c/{escape(slug)}">'
        f"{escape(department['name'])}</a> <small>{escape(len(department['categories']))}</small>"
        f"{f'<ul>{categories}</ul>' if categories else ''}</li>"
    )


def _category(department: str, category: Inputs, page: Inputs) -> str:
    slug = category["slug"]
    topics = "".join(
        [
            f'<li><a href="/c/{escape(department)}/{escape(slug)}/{escape(topic["slug"])}">'
            f"{escape(topic['name'])}</a></li>"
            for topic in category["topics"]
        ]
    )
    count = f"<small>{escape(category['count'])}</small>" if category["count"] > 0 else ""
    current = ' aria-current="page"' if slug == page["category"] else ""
    return (
        f'<li{current}>\n<a href="/c/{escape(department)}/{escape(slug)}">{escape(category["name"])}</a>{count}'
        f"{f'<ul>{topics}</ul>' if topics else ''}</li>"
    )


FRAGMENTS: Mapping[str, Callable[[Inputs], str]] = {"hero": hero, "rail": rail, "nav": nav, "landing": landing}
