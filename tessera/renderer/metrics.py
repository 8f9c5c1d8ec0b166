"""`GET /-/metrics`: the counts of all processes of a machine, in Prometheus' words."""

from collections.abc import Iterator, Sequence
from itertools import accumulate
from pathlib import Path

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector, CollectorRegistry
from starlette.requests import Request as HttpRequest
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from tessera.renderer.tally import FAMILIES, NS, Family, Tally
from tessera.renderer.tally_files import counts

NO_STORE = {"cache-control": "no-store"}


class Counted(Collector):
    """Reads the counts anew for each scrape."""

    def __init__(self, tally: Tally, state_dir: Path) -> None:
        self._tally = tally
        self._state_dir = state_dir

    def collect(self) -> Iterator[Metric]:
        """Give all families (prometheus_client, "Custom collectors"). Raises OSError."""
        self._tally.tell()
        cells, alive = counts(self._state_dir)
        yield GaugeMetricFamily("tessera_workers", "Processes that are serving.", value=alive)
        for family in FAMILIES:
            yield _metric(family, cells)


class Metrics:
    """The route."""

    def __init__(self, tally: Tally, state_dir: Path) -> None:
        """``tally`` is that of this process; ``state_dir`` has those of all."""
        self._registry = CollectorRegistry()
        self._registry.register(Counted(tally, state_dir))

    def routes(self) -> Sequence[Route]:
        """Return what is to be mounted."""
        return [Route("/metrics", self.tell, methods=["GET"])]

    def tell(self, http: HttpRequest) -> Response:
        """Tell what is counted, to Prometheus: `GET /-/metrics`."""
        encode, kind = choose_encoder(http.headers.get("accept", ""))
        try:
            told = encode(self._registry)
        except OSError:
            return PlainTextResponse("The counts cannot be read.\n", 503, NO_STORE)
        return Response(told, headers={**NO_STORE, "content-type": kind})


def _metric(family: Family, cells: Sequence[int]) -> Metric:
    name = f"tessera_{family.name}"
    if family.kind == "gauge":
        gauge = GaugeMetricFamily(name, family.help, labels=family.labels)
        for series, cell in family.at.items():
            gauge.add_metric(_values(series), cells[cell])
        return gauge
    if family.kind == "counter":
        counter = CounterMetricFamily(name, family.help, labels=family.labels)
        for series, cell in family.at.items():
            counter.add_metric(_values(series), cells[cell])
        return counter
    histogram = HistogramMetricFamily(name, family.help, labels=family.labels)
    edges = [*(f"{bound:g}" for bound in family.bounds), "+Inf"]
    for series, cell in family.at.items():
        buckets = accumulate(cells[cell : cell + len(edges)])
        total = cells[cell + len(edges)] / NS
        histogram.add_metric(_values(series), list(zip(edges, buckets, strict=True)), total)
    return histogram


def _values(series: object) -> list[str]:
    """Return the values of a series' labels as texts."""
    return [str(value) for value in (series if isinstance(series, tuple) else (series,))]
