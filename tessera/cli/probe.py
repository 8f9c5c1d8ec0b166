"""`tessera probe`: one call to the adapter that a site asks."""

import asyncio
import json
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict
from pathlib import Path
from typing import get_args

import click

from tessera.adapters.registry import Port
from tessera.adapters.sqlite import STORE, Store
from tessera.cli.ask import given_facts
from tessera.cli.site import fail, offline_settings, open_site, site_option, state_option
from tessera.cli.store import prepare_store
from tessera.publishing.suppressing import is_suppressed
from tessera.renderer.core.lists import ListPlan
from tessera.renderer.probe import Probed, Prober
from tessera.renderer.settings_upstreams import Service
from tessera.renderer.site import Site
from tessera.renderer.upstreams import open_adapter
from tessera.rules.facts import VISITOR_ID


@click.command()
@click.argument("port", type=click.Choice(get_args(Port)))
@click.option("--visitor", metavar="ID", help="About whom; profiles and personal lists need one.")
@click.option("--list", "lists", multiple=True, metavar="NAME", help="A list of the site; without it, all of them.")
@click.option("--item", "items", multiple=True, metavar="SKU", help="An item to ask the catalogue for.")
@click.option("--given", multiple=True, metavar="FACT=VALUE", help="What is so, for lists about something and flags.")
@site_option
@state_option
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def probe(
    port: Port,
    visitor: str | None,
    lists: Sequence[str],
    items: Sequence[str],
    given: Sequence[str],
    folder: Path,
    state_dir: Path | None,
    as_json: bool,
) -> None:
    """Ask an upstream once, as the server would, and show what came of it.

    Tells what was mapped, how long it took, which values do not fit the type that they are declared with, and which
    did not come at all. The exit code is 1 where the call failed or took longer than its deadline.
    """
    settings = offline_settings(folder, state_dir=state_dir)
    table: Service = getattr(settings, port)
    services: Sequence[Service] = getattr(table, "sources", ()) or (table,)
    missing = [name for each in services for name in each.options.missing_secrets()]
    if missing:
        fail(*(f"`{port}`: `{name}` must be set in the environment" for name in missing))
    site = open_site(folder, settings)
    prepare_store(folder, settings)
    if visitor is not None and is_suppressed(settings, visitor):
        fail(f"{visitor} is suppressed, so nobody is asked about them", code=1)
    if port == "profiles" and visitor is None:
        fail("say about whom: --visitor ID")
    if port == "catalogue" and not items:
        fail("say which items: --item SKU")
    for name in lists:
        if name not in site.ruleset.lists:
            fail(f"there is no list `{name}`; there are {', '.join(site.ruleset.lists)}")
    try:
        facts = given_facts(site, given)
    except ValueError as wrong:
        fail(str(wrong))

    async def ask(service: Service) -> list[Probed]:
        prober = Prober(port, service.deadline_ms, site.ruleset)
        async with AsyncExitStack() as opened:
            store = await Store.open(settings.server.state_dir / STORE)
            opened.push_async_callback(store.close)
            adapter = open_adapter(service, store, opened)
            if port == "profiles" and visitor is not None:
                return [await prober.profile(adapter, visitor)]
            if port == "flags":
                return await prober.flags(adapter, {**({} if visitor is None else {VISITOR_ID: visitor}), **facts})
            if port == "catalogue":
                return [await prober.catalogue(adapter, items)]
            found = []
            for name in lists or site.ruleset.lists:
                query = ListPlan(site.ruleset.lists[name]).query(facts, visitor)
                if query is None:
                    click.echo(f"list {name}: not asked; it needs {_needed(site, name)}", err=True)
                else:
                    found.append(await prober.items(adapter, name, query))
            return found

    probed = [(each, asyncio.run(ask(each))) for each in services]
    _tell(probed, as_json)
    sys.exit(1 if any(each.failure is not None for _, found in probed for each in found) else 0)


def _tell(probed: Sequence[tuple[Service, Sequence[Probed]]], as_json: bool) -> None:
    if as_json:
        told = [
            {"port": service.port, "adapter": service.adapter, **asdict(each)}
            for service, found in probed
            for each in found
        ]
        click.echo(json.dumps(told, indent=2, default=str))
        return
    for service, found in probed:
        click.echo(f"[{service.port}] adapter `{service.adapter}`")
        for each in found:
            click.echo(each.to_text())


def _needed(site: Site, name: str) -> str:
    wanted = site.ruleset.lists[name]
    fact = wanted.to or wanted.category
    return "--visitor ID" if fact is None else f"--given {fact}=VALUE"
