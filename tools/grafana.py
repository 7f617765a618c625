"""The Grafana board, deploy/helm/einladung/files/grafana.json: the figures behind the alerts."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

SOURCE = {"type": "prometheus", "uid": "${source}"}
WIDTH, HEIGHT = 8, 8  # of a panel; a board is 24 wide
RATE = "[$__rate_interval]"


@dataclass(frozen=True, slots=True)
class Panel:
    """A graph: queries with their legends."""

    title: str
    about: str
    unit: str
    queries: Sequence[tuple[str, str]]


# Probes and Prometheus itself would hide a few slow or failing requests.
ASKED = '{route!~"/health/.*|/metrics"}'


def _rate(metric: str, by: str, where: str = "") -> str:
    return f"sum by ({by}) (rate({metric}{where}{RATE}))"


def _quantile(of: float, metric: str, by: str = "", where: str = "") -> str:
    labels = ", ".join(filter(None, (by, "le")))
    return f"histogram_quantile({of}, sum by ({labels}) (rate({metric}_bucket{where}{RATE})))"


ROWS: Sequence[tuple[str, Sequence[Panel]]] = (
    (
        "Ticks",
        (
            Panel(
                "Request to tick, last 24 hours",
                "From the time an invitation was asked for to what its tick stands on.",
                "s",
                (("max by (quantile) (request_to_tick_seconds)", "{{quantile}}"),),
            ),
            Panel(
                "Request to tick, by channel",
                "What half and 95 % of the first ticks stay below.",
                "s",
                (
                    (_quantile(0.5, "tick_seconds", "channel"), "half, {{channel}}"),
                    (_quantile(0.95, "tick_seconds", "channel"), "95 %, {{channel}}"),
                ),
            ),
            Panel(
                "Ticks proven wrong, last 24 hours",
                "Share of the ticks that became marks.",
                "percentunit",
                (("max(ticks_proven_wrong_last_day) / max(ticks_last_day)", "share"),),
            ),
            Panel(
                "Event to indicator",
                "How old what happened is when the pages show it.",
                "s",
                (
                    (_quantile(0.5, "indicator_lag_seconds"), "half"),
                    (_quantile(0.95, "indicator_lag_seconds"), "95 %"),
                ),
            ),
        ),
    ),
    (
        "Deliveries",
        (
            Panel(
                "Deliveries",
                "By channel and what became of them.",
                "ops",
                ((_rate("deliveries_total", "channel, outcome"), "{{channel}} {{outcome}}"),),
            ),
            Panel(
                "Failures",
                "By what is known of them.",
                "ops",
                (
                    (
                        _rate("deliveries_total", "channel, detail", '{outcome="failed"}'),
                        "{{channel}} {{detail}}",
                    ),
                ),
            ),
            Panel(
                "Held",
                "1 while a channel's server, or one gateway, is left alone but for a probe.",
                "bool",
                (
                    ("max by (channel) (deliveries_held)", "{{channel}}"),
                    ("max by (gateway) (sms_gateway_resting)", "{{gateway}}"),
                ),
            ),
            Panel(
                "What came back",
                "Receipts by kind, and how their delivery was found.",
                "ops",
                ((_rate("receipts_total", "kind, matched_by"), "{{kind}} by {{matched_by}}"),),
            ),
            Panel(
                "Tries that nobody ended",
                "Taken over when their lease was over.",
                "ops",
                ((_rate("delivery_leases_expired_total", "job"), "{{job}}"),),
            ),
            Panel(
                "Letters asked for and refused",
                "By channel, and by the bound that refused them.",
                "ops",
                (
                    (_rate("messages_counted_total", "channel"), "{{channel}}"),
                    (_rate("messages_refused_total", "bound"), "refused: {{bound}}"),
                ),
            ),
        ),
    ),
    (
        "Events",
        (
            Panel(
                "Age of the outbox",
                "How long the oldest event has waited for Kafka.",
                "s",
                (("max by (job) (outbox_oldest_seconds)", "{{job}}"),),
            ),
            Panel(
                "Unread",
                "Messages that a service has still to read.",
                "short",
                (("sum by (job, topic) (consumer_unread)", "{{job}} {{topic}}"),),
            ),
            Panel(
                "Parked and not trusted",
                "Messages that could not be read, and of these, those without their signature.",
                "short",
                (
                    ("sum by (job, topic) (increase(dead_letters_total[1h]))", "{{job}} {{topic}}"),
                    (
                        "sum by (job, topic) (increase(events_untrusted_total[1h]))",
                        "not trusted: {{job}} {{topic}}",
                    ),
                ),
            ),
        ),
    ),
    (
        "Requests",
        (
            Panel(
                "Requests",
                "Answers by service and status.",
                "reqps",
                ((_rate("http_requests_total", "job, status", ASKED), "{{job}} {{status}}"),),
            ),
            Panel(
                "Slow ones",
                "Time to the answer that 95 % stay below.",
                "s",
                ((_quantile(0.95, "http_answer_seconds", "job", ASKED), "{{job}}"),),
            ),
            Panel(
                "Logins",
                "By how they ended.",
                "ops",
                ((_rate("dashboard_logins_total", "outcome"), "{{outcome}}"),),
            ),
            Panel(
                "Live streams",
                "Open ones, and those refused.",
                "short",
                (
                    ("sum(status_streams_open)", "open"),
                    (_rate("status_streams_refused_total", "reason"), "refused: {{reason}}"),
                ),
            ),
            Panel(
                "Webhooks",
                "Calls of receivers by what they came to, and how long what is due waits.",
                "ops",
                (
                    (_rate("webhook_calls_total", "result"), "{{result}}"),
                    ("max(webhook_late_seconds)", "seconds late"),
                ),
            ),
            Panel(
                "Connections to databases",
                "In use, of those that a process may have, and requests that wait for their turn.",
                "short",
                (
                    ('sum by (job) (database_connections{state="used"})', "{{job}}"),
                    ('sum by (job) (database_connections{state="most"})', "{{job}} at most"),
                    ("sum by (job) (requests_waiting)", "waiting: {{job}}"),
                ),
            ),
            Panel(
                "Connections to the mail server",
                "In use, idle, and at most.",
                "short",
                (("sum by (state) (smtp_connections)", "{{state}}"),),
            ),
            Panel(
                "Memory",
                "Of each process.",
                "bytes",
                (('process_resident_memory_bytes{job=~"$job"}', "{{job}} {{instance}}"),),
            ),
            Panel(
                "Processor",
                "Of each process.",
                "percentunit",
                (
                    (
                        f'rate(process_cpu_seconds_total{{job=~"$job"}}{RATE})',
                        "{{job}} {{instance}}",
                    ),
                ),
            ),
        ),
    ),
)


def expressions() -> list[str]:
    """What the board asks Prometheus."""
    return [query for _, panels in ROWS for panel in panels for query, _ in panel.queries]


def board() -> str:
    """The board as Grafana imports it."""
    shown: list[dict[str, Any]] = []
    y = 0
    for title, panels in ROWS:
        place = {"x": 0, "y": y, "w": 24, "h": 1}
        shown.append({"id": len(shown) + 1, "type": "row", "title": title, "gridPos": place})
        y += 1
        for index, panel in enumerate(panels):
            place = {"x": index % 3 * WIDTH, "y": y + index // 3 * HEIGHT, "w": WIDTH, "h": HEIGHT}
            shown.append(_graph(panel, len(shown) + 1) | {"gridPos": place})
        y += -(-len(panels) // 3) * HEIGHT
    return json.dumps(_around(shown), indent=2, ensure_ascii=False) + "\n"


def _graph(panel: Panel, number: int) -> dict[str, Any]:
    return {
        "id": number,
        "type": "timeseries",
        "title": panel.title,
        "description": panel.about,
        "datasource": SOURCE,
        "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0}, "overrides": []},
        "options": {"legend": {"displayMode": "list", "placement": "bottom", "showLegend": True}},
        "targets": [
            {"refId": chr(ord("A") + index), "datasource": SOURCE, "expr": query}
            | {"legendFormat": legend}
            for index, (query, legend) in enumerate(panel.queries)
        ],
    }


def _around(panels: list[dict[str, Any]]) -> dict[str, Any]:
    source = {"name": "source", "label": "Prometheus", "type": "datasource", "query": "prometheus"}
    job = {
        "name": "job",
        "label": "Service",
        "type": "custom",
        "query": "dashboard,scheduling,notification,status,webhooks",
        "includeAll": True,
        "multi": True,
        "current": {"text": "All", "value": "$__all"},
    }
    return {
        "uid": "einladung",
        "title": "Einladung",
        "tags": ["einladung"],
        "schemaVersion": 39,
        "editable": True,
        "timezone": "browser",
        "time": {"from": "now-6h", "to": "now"},
        "refresh": "30s",
        "templating": {"list": [source, job]},
        "panels": panels,
    }
