import re

import pytest
from prometheus_client.parser import text_string_to_metric_families

from parvis.server.metrics import DECLARED, PREFIX, TABLE, Metrics


def samples(metrics: Metrics) -> dict[str, float]:
    """Every sample, its labels included, as Prometheus would read it."""
    found: dict[str, float] = {}
    for family in text_string_to_metric_families(metrics.render().decode()):
        for sample in family.samples:
            labels = ",".join(f"{name}={value}" for name, value in sorted(sample.labels.items()))
            found[f"{sample.name}{{{labels}}}" if labels else sample.name] = sample.value
    return found


def test_counters_gauges_and_histograms_reach_the_page() -> None:
    metrics = Metrics()
    metrics.deliveries.inc(3)
    metrics.sessions("yjs").inc()
    metrics.sessions("native").inc(2)
    metrics.sessions("yjs").dec()
    metrics.closes(4401).inc()
    metrics.ack_seconds.observe(0.02)
    seen = samples(metrics)
    assert seen["parvis_deliveries_total"] == 3
    assert seen["parvis_sessions{dialect=yjs}"] == 0
    assert seen["parvis_sessions{dialect=native}"] == 2
    assert seen["parvis_closes_total{code=4401}"] == 1
    assert seen["parvis_ack_seconds_count"] == 1
    assert seen["parvis_ack_seconds_bucket{le=0.01}"] == 0
    assert seen["parvis_ack_seconds_bucket{le=0.025}"] == 1


def test_two_nodes_in_one_process_count_for_themselves() -> None:
    one, other = Metrics(), Metrics()
    one.rooms.inc()
    assert samples(one)["parvis_rooms"] == 1
    assert samples(other)["parvis_rooms"] == 0


def test_what_a_label_gives_is_kept_for_the_hot_path() -> None:
    metrics = Metrics()
    assert metrics.refusals("too_large") is metrics.refusals("too_large")
    assert metrics.refusals("too_large") is not metrics.refusals("malformed")


def test_the_process_is_measured_too() -> None:
    seen = samples(Metrics())
    assert seen["parvis_process_resident_memory_bytes"] > 1_000_000
    assert "parvis_process_cpu_seconds_total" in seen


def test_every_metric_is_ours_and_documented() -> None:
    for family in text_string_to_metric_families(Metrics().render().decode()):
        assert family.name.startswith(f"{PREFIX}_")
        assert family.documentation


def test_nobody_reads_when_a_metric_was_created() -> None:
    assert b"_created" not in Metrics().render()


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.name)
def test_the_table_says_what_an_instance_has(row: object) -> None:
    each = next(one for one in TABLE if one is row)
    assert re.fullmatch(r"[a-z_]+", each.name)
    assert (each.help.endswith(".") and each.help[0].isupper()) or each.help[0].isdigit()
    assert each.kind in ("counter", "gauge", "histogram")
    assert bool(each.buckets) is (each.kind == "histogram")
    assert each.name.endswith("_seconds") or each.buckets == () or each.buckets[0] == 1
    assert list(each.buckets) == sorted(each.buckets)
    assert each.name in Metrics().__dict__
    assert DECLARED[each.name].row is each
