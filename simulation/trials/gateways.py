"""Trials in which the gateway misbehaves: F23 to F28, F30 and F38."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from khalifa_whatsapp.bootstrap import embedded
from khalifa_whatsapp.core import records
from khalifa_whatsapp.core.keys import delivery_key
from khalifa_whatsapp.core.settings import MINUTE_MS
from khalifa_whatsapp.drivers.abilities import ChatLog
from khalifa_whatsapp.drivers.factory import make_driver
from khalifa_whatsapp.services.inbound import drain
from khalifa_whatsapp.services.outbound import dispatch
from simulation.simulators.wire import Person
from simulation.trials.stand import DEVICE, RULES, Stand, Verdict, stand

KINDS = ("cloud", "wpp")
DOUBTFUL = ("reset", "502", "html_200", "no_id", "truncated")


def f23_accepts_then_is_silent(folder: Path, kind: str, count: int) -> Verdict:
	"""The gateway takes the message and its answer never comes:
	in doubt until its own echo or status says so.
	"""
	with stand(kind, folder, count) as on:
		on.gateway.fail_next("read_timeout", 2)
		on.drain()
		doubtful = on.count(records.UNKNOWN)
		on.settle()
		return on.verdict(f"{doubtful} in doubt at first, {on.count(records.UNKNOWN)} at the end")


def f24_unreadable_answers(folder: Path, kind: str, count: int) -> Verdict:
	"""Reset, 502, HTML, no id, cut JSON after the message was taken; and WPPConnect's ack below zero."""
	ways = (*DOUBTFUL, "ack-1") if kind == "wpp" else DOUBTFUL
	with stand(kind, folder, max(count, len(ways))) as on:
		for way in ways:
			on.gateway.fail_next(way)
		on.settle()
		return on.verdict()


def f25_too_fast(folder: Path, kind: str, count: int) -> Verdict:
	"""429 with and without a time to wait, and the limit of one customer: order per chat is kept."""
	with stand(kind, folder, count, **({"has_pair_limit": True} if kind == "cloud" else {})) as on:
		on.gateway.fail_next("429", 2)
		ticket = on.answers()[0].ticket
		for number in range(3):
			on.answer(ticket, f"more {number}")
		on.settle()
		said = [row.body for row in on.gateway.sent_log.rows() if row.body.startswith("more")]
		return _with_order(on.verdict(f"order kept: {said == sorted(said)}"), said)


def _with_order(verdict: Verdict, said: list[str]) -> Verdict:
	verdict.false += said != sorted(said)
	return verdict


def f26_known_refusals(folder: Path, kind: str, count: int) -> Verdict:
	"""5xx with a code, a token that expired, a window that closed: again later, device rests,
	failed with a reason.
	"""
	ways = (
		("503:131016", "190", "131047") if kind == "cloud" else ("disconnected", "401", "401", "not_exists")
	)
	with stand(kind, folder, max(count, 4)) as on:
		for way in ways:
			on.gateway.fail_next(way)
		on.drain()
		rested = on.store.send_gate(DEVICE).breaker.state
		on.settle()
		reasons = all(message.error_text for message in on.answers() if message.status == records.FAILED)
		return on.verdict(f"breaker after the refused login: {rested}; every failure has a reason: {reasons}")


def f27_slow_as_honey(folder: Path, kind: str, count: int) -> Verdict:
	"""A byte now and then, for ever: the call ends by its total time,
	and another device is not kept waiting.
	"""
	with stand(kind, folder, count) as on, stand(kind, folder, 2) as other:
		on.gateway.stall_seconds = 30.0
		on.gateway.fail_next("drip", 1)
		began = time.monotonic()
		slow = threading.Thread(target=on.drain)
		slow.start()
		other.drain()
		free_after = time.monotonic() - began
		slow.join(30)
		took = time.monotonic() - began
		on.settle()
		verdict = on.verdict(
			f"given up after {took:.1f} s; the other device was served after {free_after:.1f} s"
		)
		verdict.lost += other.count(records.MSG_QUEUED) + (took > 20)
		return verdict


def f28_not_reachable(folder: Path, kind: str, count: int) -> Verdict:
	"""No such name, refused, a bad certificate, a connection that hangs: surely not sent,
	sent once when it is back.
	"""
	with stand(kind, folder, count) as on, _dead_ends() as ends:
		good = on.driver
		for address in ends:
			on.driver = make_driver(replace(on.config, base_url=address, connect_timeout=0.5))
			on.drain()
			on.clock.now_ms += 10 * MINUTE_MS
		doubtful = on.count(records.UNKNOWN)
		on.driver = good
		on.settle()
		return on.verdict(f"{len(ends)} kinds of dead end, {doubtful} in doubt")


@contextmanager
def _dead_ends() -> Iterator[list[str]]:
	"""Addresses behind which nobody answers."""
	with contextlib.ExitStack() as stack:
		closed = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
		refused = f"http://127.0.0.1:{closed.getsockname()[1]}"
		closed.close()
		plain = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
		threading.Thread(target=_answer_without_tls, args=(plain,), daemon=True).start()
		full = stack.enter_context(socket.socket())
		full.bind(("127.0.0.1", 0))
		full.listen(0)
		for _ in range(3):  # its queue is full: the next connection hangs
			one = stack.enter_context(socket.socket())
			one.setblocking(False)
			one.connect_ex(full.getsockname())
		yield [
			"http://no-such-gateway.invalid",
			refused,
			f"https://127.0.0.1:{plain.getsockname()[1]}",
			f"http://127.0.0.1:{full.getsockname()[1]}",
		]


def _answer_without_tls(server: socket.socket) -> None:
	with contextlib.suppress(OSError):
		while True:
			line, _ = server.accept()
			line.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
			line.close()


def f30_two_senders(folder: Path, kind: str, count: int) -> Verdict:
	"""The lock is lost and a second sender begins: each message is claimed by one of them."""
	with stand(kind, folder, count) as on:
		senders = [embedded(RULES, [on.config], path=on.path) for _ in range(2)]
		for host in senders:
			host.store.lock = _no_lock  # type: ignore[method-assign,assignment]
		threads = [
			threading.Thread(target=dispatch.drain, args=(host.store, host.drivers[DEVICE], on.clock))
			for host in senders
		]
		for thread in threads:
			thread.start()
		for thread in threads:
			thread.join(60)
		for host in senders:
			host.close()
		on.settle()
		return on.verdict()


@contextmanager
def _no_lock(name: str, wait_seconds: float = 0) -> Iterator[bool]:
	"""A device lock that holds nobody back, as after a restart of the database."""
	yield True


def f38_down_for_ten_minutes(folder: Path, kind: str, count: int) -> Verdict:
	"""WPPConnect is away, customers write meanwhile, and it never posts that: asked for what is unread,
	it tells, once.
	"""
	with stand(kind, folder, count) as on:
		on.gateway.fail_next("disconnected", 100)
		for _ in range(10):
			on.drain()
			on.clock.now_ms += MINUTE_MS
		missed = [Person(f"2011{n:08}", f"Missed {n}") for n in range(5)]
		for person in missed:
			on.gateway.customer_text(person, "are you there?")
		on.gateway.take(everything=True)  # posted while nobody listened: gone for ever
		on.gateway.failures._next.clear()
		for _ in range(2):
			_take_in_missed(on)
		stored = on.store._read(records.Message, "body = 'are you there?'")
		on.settle()
		verdict = on.verdict(f"{len(stored)} of {len(missed)} missed messages recovered")
		verdict.lost += abs(len(missed) - len(stored))
		return verdict


def _take_in_missed(on: Stand) -> None:
	driver: Any = on.driver
	if isinstance(driver, ChatLog):
		for body in driver.missed_webhook_events():
			on.store.record_webhook_event(
				DEVICE, on.config.provider, delivery_key(DEVICE, body), body, on.clock()
			)
	drain.drain(on.store, on.driver, on.clock)
