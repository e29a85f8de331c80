"""A short day with real HTTP adds up, with and without faults; books that were tampered with do not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from queue import Empty, Queue
from threading import Thread

import pytest

from simulation import cli
from simulation import run as runs
from simulation.engine import Day
from simulation.run import Options, Result, run_day

ROOT = Path(__file__).parents[2]
SMALL = Options(messages=60, agents=6, seed=4)


def broken(sql: str) -> list[str]:
	"""The problems of a small run after somebody changed the database."""
	with runs.staged(SMALL) as day:
		day.play()
		assert runs.close_books(day).problems == []
		day.host.store.run(sql)
		return runs.close_books(day).problems


def test_a_small_day_adds_up(capsys: pytest.CaptureFixture[str], tmp_path: Path):
	report = tmp_path / "out.html"
	assert cli.main(["--messages", "60", "--agents", "6", "--report", str(report)]) == 0
	said = capsys.readouterr().out
	assert "It all adds up." in said and "acknowledged" in said
	page = report.read_text(encoding="utf-8")
	assert page.count("<svg") == 3 and 'dir="auto"' in page
	assert "src=" not in page and "<link" not in page and "<script" not in page and "@import" not in page


def test_the_words_of_the_summary_are_right_when_nothing_fails():
	result: Result = run_day(SMALL)
	messages, out = result.summary.messages, result.summary.outbound
	answers = result.summary.facts["ratings"]  # of surveys: they come beside the sixty
	assert messages.attempts == messages.acknowledged == messages.stored >= 60 + answers > 60
	assert (messages.lost, messages.duplicated, messages.unexpected, messages.recovered) == (0, 0, 0, 0)
	assert out.written == out.taken == out.arrived + out.sent + out.failed > 20
	assert result.day.staff.counts.replies == out.written


def test_every_type_of_message_comes_in_a_small_day():
	seen: set[str] = set()

	def look(result: Result) -> None:
		rows = result.day.host.store.rows(
			"SELECT DISTINCT content_type FROM `tabKhalifa Message` WHERE direction = 'Incoming'"
		)
		seen.update(row[0] for row in rows)

	run_day(SMALL, finish=look)
	assert seen >= {
		"text",
		"image",
		"voice",
		"audio",
		"video",
		"document",
		"sticker",
		"location",
		"contacts",
		"button_reply",
		"list_reply",
		"order",
		"unknown",
	}
	assert seen & {"unsupported", "poll"}, "what WhatsApp's cloud can't pass on, and what WPPConnect can"


def test_the_same_seed_is_the_same_day():
	first, second = run_day(SMALL), run_day(SMALL)
	assert first.day.staff.counts == second.day.staff.counts
	assert first.summary == second.summary


@pytest.mark.long
def test_a_day_with_faults_adds_up_too():
	result = run_day(Options(messages=250, agents=6, seed=2, has_faults=True))
	assert result.summary.problems == []
	assert result.day.chaos.kills + result.day.chaos.worker_kills > 0
	assert result.day.chaos.worker_kills > 0 and result.day.chaos.endpoint_down > 0
	assert result.summary.facts["posts_refused"] > 0


@pytest.mark.parametrize(
	("sql", "term"),
	[
		(
			"DELETE FROM `tabKhalifa Message` WHERE name = (SELECT MIN(name) FROM `tabKhalifa Message` WHERE "
			"direction = 'Incoming')",
			"1 lost",
		),
		(
			"UPDATE `tabKhalifa Message` SET gateway_id = 'nobody' WHERE name = (SELECT MIN(name) FROM "
			"`tabKhalifa Message` WHERE direction = 'Incoming')",
			"1 unexpected",
		),
		(
			"UPDATE `tabKhalifa Message` SET gateway_id = (SELECT MIN(gateway_id) FROM `tabKhalifa Message` "
			"WHERE device = 'cloud' "
			"AND direction = 'Incoming') WHERE device = 'cloud' AND direction = 'Incoming'",
			"duplicated",
		),
		(
			"UPDATE `tabKhalifa Message` SET status = 'Sending' WHERE name = (SELECT MAX(name) FROM "
			"`tabKhalifa Message` WHERE origin = 'Agent')",
			"still Sending",
		),
		(
			"DELETE FROM `tabKhalifa Turn Segment` WHERE turn = (SELECT "
			"MIN(turn) FROM `tabKhalifa Turn Segment`)",
			"has no segment",
		),
		(
			"UPDATE `tabKhalifa Turn Segment` SET from_ms = from_ms + 60000 WHERE "
			"to_ms > from_ms + 60000 AND agent IS NOT NULL",
			"gap",
		),
		("UPDATE `tabKhalifa Ticket` SET waited_time = waited_time + 1", "its turns say"),
		(
			"UPDATE `tabKhalifa Ticket Event` SET at_ms = at_ms - 86400000 WHERE event = 'closed'",
			"time goes back",
		),
		("DELETE FROM `tabKhalifa Ticket Event` WHERE event = 'created'", "created once"),
		("UPDATE `tabKhalifa Ticket` SET status = 'Pending' WHERE status = 'Closed'", "open key"),
		(
			"UPDATE `tabKhalifa Agent KPI` SET response_sum = response_sum + 1 WHERE period = 'Daily'",
			"KPI response_sum",
		),
		("UPDATE `tabKhalifa Webhook Event` SET status = 'New' WHERE name = 1", "deliveries are New"),
	],
	ids=[
		"lost",
		"unexpected",
		"duplicated",
		"unfinished",
		"no segment",
		"gap",
		"waited",
		"order",
		"history",
		"key",
		"kpi",
		"inbox",
	],
)
def test_what_was_tampered_with_does_not_add_up(sql: str, term: str):
	assert any(term in problem for problem in broken(sql)), term


def test_the_exit_code_says_that_it_does_not_add_up(
	monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
	honest = runs.close_books

	def doctored(day: Day):
		day.webhook_sender.book.acknowledged.add(("message", "cloud", "wamid.nobody-stored-this"))
		return honest(day)

	monkeypatch.setattr(runs, "close_books", doctored)
	assert cli.main(["--messages", "60", "--agents", "6"]) == 1
	assert "1 lost" in capsys.readouterr().out


def test_a_message_sent_twice_is_found(monkeypatch: pytest.MonkeyPatch):
	with runs.staged(SMALL) as day:
		day.play()
		sent_log = day.webhook_sender.gateways.cloud.sent_log
		answers = {
			row[0] for row in day.host.store.rows("SELECT body FROM `tabKhalifa Message` WHERE agent > ''")
		}
		sent_log.add(next(sent for sent in sent_log.rows() if sent.body in answers))
		assert any("taken_twice=1" in problem for problem in runs.close_books(day).problems)


def test_an_automatic_reply_sent_twice_or_counted_as_an_answer_is_found():
	with runs.staged(SMALL) as day:
		day.play()
		store, sent_log = day.host.store, day.webhook_sender.gateways.cloud.sent_log
		assert runs.close_books(day).facts["automatic_replies"] > 5
		(name, body), *_ = store.rows(
			"SELECT name, body FROM `tabKhalifa Message` WHERE auto_reply IS NOT NULL"
		)
		sent_log.add(replace(sent_log.rows()[0], body=body))
		assert any("automatic reply was taken" in problem for problem in runs.close_books(day).problems)
		store.run("UPDATE `tabKhalifa Turn` SET answer = ? WHERE answer IS NOT NULL", (name,))
		assert any("counts as an answer" in problem for problem in runs.close_books(day).problems)


@pytest.mark.parametrize(
	"terms",
	[["--messages", "0"], ["--agents", "x"], ["--fast", "--minutes", "2"], ["simulate", "--agents", "0..3"]],
)
def test_senseless_options_are_refused(terms: list[str], capsys: pytest.CaptureFixture[str]):
	with pytest.raises(SystemExit) as caught:
		cli.main(terms)
	assert caught.value.code == 2


def test_an_old_database_is_not_mixed_with_a_new_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
	old = tmp_path / "old.sqlite"
	old.write_bytes(b"")
	assert cli.main(["--database", str(old)]) == 2
	assert "is there already" in capsys.readouterr().err


def test_help_names_every_option(capsys: pytest.CaptureFixture[str]):
	with pytest.raises(SystemExit):
		cli.main(["--help"])
	said = capsys.readouterr().out
	for term in (
		"--messages",
		"--agents",
		"--seed",
		"--faults",
		"--report",
		"--fast",
		"--minutes",
		"--serve",
		"--port",
		"simulate",
	):
		assert term in said


def test_the_printed_curl_lines_become_tickets_and_a_signal_ends_cleanly():
	"""In a process of its own, as a newcomer would."""
	process = subprocess.Popen(
		[sys.executable, "-u", "-m", "simulation", "--serve", "--agents", "3"],
		cwd=ROOT,
		text=True,
		stdout=subprocess.PIPE,
		stderr=subprocess.STDOUT,
		encoding="utf-8",
		env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"},
	)
	lines: Queue[str] = Queue()
	assert process.stdout is not None
	Thread(target=lambda: [lines.put(line) for line in process.stdout], daemon=True).start()
	try:
		seen = read_until(lines, "Subscription check")
		curls = [line for line in seen if line.startswith("curl")]
		assert len(curls) == 2
		for line in (*curls, curls[0]):
			assert (
				subprocess.run(line, shell=True, capture_output=True, timeout=20, check=True).stdout == b"ok"
			)
		printed = read_until(lines, "assigned", times=2)
		assert sum("created" in line for line in printed) == 2
		assert any("بانادول" in line for line in printed)
		process.send_signal(signal.SIGINT)
		assert process.wait(15) == 0
	finally:
		process.kill()
		process.wait(5)


def read_until(lines: Queue[str], term: str, times: int = 1) -> list[str]:
	seen: list[str] = []
	while sum(term in line for line in seen) < times:
		try:
			seen.append(lines.get(timeout=20))
		except Empty:
			raise AssertionError(f"never said {term!r}: {seen}") from None
	return seen
