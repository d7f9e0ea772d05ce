"""/metrics: what Prometheus reads. Every API process gives the same figures, because no figure is kept in a process.

Counters are read for each answer from the rows that all processes add to, so a counter never falls, whichever process
answers. Gauges are read from the database, the broker and the workers. What cannot be read is left out.
"""

import hmac
import ipaddress
import json
from collections.abc import Iterable, Iterator

from django.conf import settings
from django.db import DatabaseError, Error
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector

from backend.observability.counters import BUCKET_NAMES, CATALOGUE, Counter
from backend.ops import broker_watch
from backend.ops.bounded_call import CachedCall, PendingCall
from backend.ops.gauges import GAUGES, Sample, pending_migrations, read_desk, read_state
from backend.ops.models import Tally

# The database answers within milliseconds or not at all; Prometheus gives up after ten seconds.
DATABASE_PATIENCE_S = 3.0

# Several requests within this time cost as much as one.
STATE_CACHED_S = 2.0
DESK_CACHED_S = 10.0

Tallies = dict[str, dict[tuple[str, ...], float]]


@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    if not may_read(request):
        # 404, so that strangers do not learn that this address exists.
        raise Http404
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Families(read_all()))
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_PLAIN_0_0_4)


def may_read(request: HttpRequest) -> bool:
    """Return whether the caller sends METRICS_TOKEN; if none is set, whether it is this machine without a proxy."""
    if settings.METRICS_TOKEN:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        is_right = hmac.compare_digest(token.strip().encode(), settings.METRICS_TOKEN.encode())
        return scheme.lower() == "bearer" and is_right
    if "X-Forwarded-For" in request.headers or "Forwarded" in request.headers:
        return False
    try:
        return ipaddress.ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False


_state = CachedCall(read_state, patience_s=DATABASE_PATIENCE_S, cached_s=STATE_CACHED_S)
_desk = CachedCall(read_desk, patience_s=DATABASE_PATIENCE_S, cached_s=DESK_CACHED_S)


def read_all() -> list[Metric]:
    """Start all reads at once, wait for each a bounded time, and return every metric, those without values too."""
    tallies_call = PendingCall(_read_tallies)
    _state.start()
    _desk.start()
    samples: list[Sample] = []
    # Without a broker nothing can be up or down: a 0 would raise an alert for ever.
    if settings.BROKER_URL:
        samples += _ask_broker()
    tallies = tallies_call.wait(DATABASE_PATIENCE_S)
    samples.append(Sample("caisse_database_up", tallies is not None))
    # While the database is away, cached values are out of date.
    if tallies is not None:
        samples += [*(_state.result() or ()), *(_desk.result() or ())]
    return [*_counter_families(tallies), *_gauge_families(samples)]


def _ask_broker() -> Iterator[Sample]:
    broker_watch.broker.start()
    broker_watch.workers.start()
    is_up = bool(broker_watch.broker.result())
    yield Sample("caisse_broker_up", is_up)
    # While the broker is down, workers cannot be asked: a 0 would say that none is alive.
    if is_up:
        yield Sample("caisse_workers_alive", broker_watch.workers.result() or 0)


class _Families(Collector):
    def __init__(self, families: list[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        return self._families


def _read_tallies() -> Tallies | None:
    """Return all counters by name and label values, or None if the database does not answer."""
    try:
        try:
            rows = list(Tally.objects.values_list("name", "labels", "value"))
        except DatabaseError:
            # A missing table counts as empty while migrations are pending; otherwise this is a fault.
            if not pending_migrations():
                raise
            rows = []
    except Error:
        return None
    tallies: Tallies = {}
    for name, labels, value in rows:
        tallies.setdefault(name, {})[tuple(json.loads(labels).values())] = value
    return tallies


def _counter_families(tallies: Tallies | None) -> Iterator[Metric]:
    for name, counter in CATALOGUE.items():
        if counter.is_histogram:
            yield _histogram(name, counter, tallies)
            continue
        family = CounterMetricFamily(name, counter.help, labels=counter.labels)
        if tallies is not None:
            # Known label values are shown at 0 from the start: the first rise of a series that did not exist is lost.
            known: dict[tuple[str, ...], float] = {(value,): 0.0 for value in counter.values}
            if not counter.labels:
                known = known or {(): 0.0}
            for values, value in sorted({**known, **tallies.get(name, {})}.items()):
                family.add_metric(values, value)
        yield family


def _histogram(name: str, counter: Counter, tallies: Tallies | None) -> Metric:
    family = HistogramMetricFamily(name, counter.help)
    if tallies is not None:
        own = tallies.get(f"{name}_bucket", {})
        total = 0.0
        buckets = []
        for le in BUCKET_NAMES:
            total += own.get((le,), 0.0)
            buckets.append((le, total))
        family.add_metric((), buckets, tallies.get(f"{name}_sum", {}).get((), 0.0))
    return family


def _gauge_families(samples: list[Sample]) -> Iterator[Metric]:
    for name, gauge in GAUGES.items():
        family = GaugeMetricFamily(name, gauge.help, labels=gauge.labels)
        for sample in samples:
            if sample.name == name:
                family.add_metric(sample.labels, sample.value)
        yield family
