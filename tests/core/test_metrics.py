"""The table of metrics against everything that keeps, counts, shows, opens or weighs them."""

from __future__ import annotations

import json
import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from khalifa_whatsapp.core.kpi import _scale
from khalifa_whatsapp.core.metrics import (
	COLUMNS,
	COUNTS,
	METRICS,
	OPENABLE,
	SAMPLES,
	SCORED,
	SUMS,
	Kind,
	Unit,
)
from khalifa_whatsapp.core.records import AgentKpi
from khalifa_whatsapp.core.settings import Settings
from khalifa_whatsapp.stores.sql_facts import SCANS

MODULE = Path(__file__).parents[2] / "khalifa_whatsapp" / "khalifa_whatsapp"
DOCTYPE = MODULE / "doctype" / "khalifa_agent_kpi" / "khalifa_agent_kpi"
COUNTED_ROWS = MODULE / "report" / "whatsapp_counted_rows" / "whatsapp_counted_rows.js"
OF_ROW = {"kpi_key", "agent", "agent_name", "branch", "period", "start_date"}  # whose figures, and of when
OF_SCORE = {"score", "coverage", "weights_version", "computed_ms"}
KEPT = {field: label for metric in METRICS for field, label in metric.fields.items()}


def docfields() -> dict[str, dict[str, Any]]:
	schema = json.loads(DOCTYPE.with_suffix(".json").read_text(encoding="utf-8"))
	return {df["fieldname"]: df for df in schema["fields"] if not df["fieldtype"].endswith("Break")}


def test_every_metric_has_one_name_and_a_meaning():
	assert len({metric.name for metric in METRICS}) == len(METRICS)
	assert len(KEPT) == sum(len(metric.fields) for metric in METRICS)
	assert len(COLUMNS) == sum(len(metric.columns) for metric in METRICS)
	assert all(metric.meaning.endswith(".") for metric in METRICS)


def test_a_kpi_row_keeps_every_metric_and_nothing_else():
	assert {field.name for field in fields(AgentKpi)} == {"name", *OF_ROW, *OF_SCORE, *KEPT}


def test_the_doctype_keeps_every_metric_under_its_label_and_nothing_else():
	kept = docfields()
	assert set(kept) == {"computed_on", *OF_ROW, *OF_SCORE, *KEPT}
	assert {field: kept[field]["label"] for field in KEPT} == KEPT
	durations = {metric.name for metric in METRICS if metric.kind is Kind.DURATION}
	for field in KEPT:
		assert kept[field]["fieldtype"] == ("Duration" if field in durations else "Int"), field


def test_what_a_figure_opens_are_the_rows_that_it_counts():
	counted: dict[str, set[str]] = {}
	for scan in SCANS:
		for metric in scan.metrics:
			counted.setdefault(metric, set()).add(scan.doctype)
	assert {metric.name: set(metric.rows) for metric in METRICS if metric.rows} == counted


def test_lengths_come_from_rows_that_have_one():
	for scan in SCANS:
		assert scan.value or not set(scan.metrics) & set(SAMPLES), scan.metrics


def test_every_figure_opens_its_rows_but_time_online():
	assert COUNTS | set(SAMPLES) == {"online_time"} | OPENABLE


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_shares_are_made_of_sums_and_nothing_else_is_a_share(metric):
	is_share = metric.kind is Kind.SHARE
	assert bool(metric.numerator) is bool(metric.denominator) is is_share
	assert {*metric.numerator, *metric.denominator} <= set(SUMS)
	assert bool(metric.label) is not is_share
	assert not metric.count_header or metric.kind is Kind.SAMPLES


def test_the_score_weighs_the_metrics_that_say_so():
	assert [metric.scored_as for metric in SCORED] == list(_scale(Settings()))
	for metric in SCORED:
		assert hasattr(Settings(), f"weight_{metric.scored_as}")


def test_columns_that_open_rows_count_them():
	for column in COLUMNS.values():
		assert bool(column.opens) is (column.unit is Unit.ROWS), column
		assert column.opens in {"", *OPENABLE}


def test_the_form_of_a_kpi_row_opens_every_figure_that_has_rows():
	script = DOCTYPE.with_suffix(".js").read_text(encoding="utf-8")
	(listed,) = re.findall(r"const OPENS = \{(.*?)\};", script, re.DOTALL)
	opens = dict(re.findall(r'(\w+): "(\w+)"', listed))
	assert opens == {next(iter(metric.fields)): metric.name for metric in METRICS if metric.rows}


def test_the_report_of_counted_rows_offers_every_figure_that_has_rows():
	script = COUNTED_ROWS.read_text(encoding="utf-8")
	(listed,) = re.findall(r'"metric",.*?\{(.*?)\}', script, re.DOTALL)
	offered = re.findall(r'(\w+): __\("([^"]+)"\)', listed)
	assert sorted(offered) == sorted((metric.name, metric.count_label) for metric in METRICS if metric.rows)
