"""`tessera messages`."""

import sys
from datetime import UTC, datetime
from pathlib import Path

import click

from tessera.cli.site import count, fail, offline_settings, report, site_option
from tessera.publishing.deployment import Deployment
from tessera.renderer.engines.extraction import brought_up_to_date, extracted
from tessera.renderer.engines.filter_arguments import FilterFault, locale_of
from tessera.renderer.engines.messages import needs_catalogue
from tessera.renderer.engines.po_files import FILE, FOLDER


@click.command()
@site_option
def messages(folder: Path) -> None:
    """Write the messages of templates into the catalogues of the site's locales, for translators.

    Translations that are there stay. Exits with 1 where the site has errors.
    """
    settings = offline_settings(folder)
    checked = Deployment(folder, settings).loader(folder).check()
    if checked.ruleset is None:
        report(checked)
        sys.exit(1)
    found = extracted(checked.catalog.messages, datetime.now(UTC))
    for locale in settings.site.locales:
        file = folder / FOLDER / locale / FILE
        if not file.exists() and not needs_catalogue(locale, settings.site.locales):
            continue
        try:
            spoken = locale_of(locale)
        except FilterFault as unknown:
            fail(f"`site.locales`: {unknown}")
        before = file.read_text(encoding="utf-8-sig") if file.exists() else None
        after, left = brought_up_to_date(before, found, spoken)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(after, encoding="utf-8")
        click.echo(f"{FOLDER}/{locale}/{FILE}: {count(len(found), 'message')}, {left} to be translated")
