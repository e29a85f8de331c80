"""Two owners never use one browser at the same time, whatever their clocks and the order of their calls."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from khalifa_whatsapp.core import lease as rules
from khalifa_whatsapp.core.lease import COMMAND_MS, LEASE_MS, MARGIN_MS, REST_MS, Lease

OWNERS = ("ann", "bob", "eve")
STEPS = st.lists(
	st.tuples(
		st.integers(0, LEASE_MS // 2),
		st.sampled_from(OWNERS),
		st.sampled_from(("take", "beat", "go", "die")),
		st.integers(0, MARGIN_MS - 1),
	),
	max_size=60,
)


class Host:
	"""An owner as it behaves: it stops using the browser when it must.

	Its clock is off by less than the margin.
	"""

	def __init__(self) -> None:
		self.generation, self.renewed, self.uses, self.is_dead = 0, 0, False, False

	def uses_at(self, now: int) -> bool:
		return self.uses and not self.is_dead and not rules.must_let_go(self.renewed, now)


@given(STEPS)
def test_one_browser_at_a_time(steps):
	row, hosts, now = Lease("n", "d"), {name: Host() for name in OWNERS}, 1_000_000
	for wait, name, act, skew in steps:
		now += wait
		host, generation = hosts[name], row.generation
		is_gone = bool(row.owner_key) and hosts[row.owner_key].is_dead
		if act == "die":
			host.is_dead, host.uses = True, False
		elif act == "take":
			host.is_dead = False
			if rules.may_take(row, name, now + skew, is_gone):
				row.generation, row.owner_key, row.lease_until_ms = generation + 1, name, now + LEASE_MS
				host.generation, host.renewed, host.uses = row.generation, now, True
		elif act == "beat" and host.uses and not host.is_dead:
			if rules.may_keep(row, name, host.generation):
				row.lease_until_ms, host.renewed = now + LEASE_MS, now
			else:
				host.uses = False
		elif act == "go" and rules.may_keep(row, name, host.generation):
			row.owner_key, host.uses = None, False
		assert row.generation >= generation
		assert sum(host.uses_at(now) for host in hosts.values()) <= 1


@given(st.integers(0, 10**13), st.integers(0, 2 * LEASE_MS))
def test_an_owner_lets_go_before_another_may_take(renewed, passed):
	row = Lease("n", "d", generation=1, owner_key="ann", lease_until_ms=renewed + LEASE_MS)
	if rules.may_take(row, "bob", renewed + passed + MARGIN_MS - 1):
		assert rules.must_let_go(renewed, renewed + passed + MARGIN_MS)


@given(st.integers(0, 5), st.integers(0, 5), st.sampled_from(OWNERS), st.sampled_from(OWNERS))
def test_only_the_present_generation_of_the_same_owner_keeps(generation, claimed, owner, claimer):
	row = Lease("n", "d", generation=generation, owner_key=owner)
	assert rules.may_keep(row, claimer, claimed) == ((owner, generation) == (claimer, claimed))


def test_commands_are_forgotten_after_a_while_and_unknown_ones_at_once():
	row = Lease("n", "d", command=rules.CONNECT, command_ms=5)
	assert rules.current_command(row, 5 + COMMAND_MS) == rules.CONNECT
	assert rules.current_command(row, 6 + COMMAND_MS) is None
	row.command = "format"
	assert rules.current_command(row, 5) is None


def test_what_people_ended_stays_so_and_what_failed_is_tried_again_later():
	assert rules.is_wanted(None, 0)
	assert rules.is_wanted(Lease("n", "d", state=""), 0)
	assert not rules.is_wanted(Lease("n", "d", state=rules.OFF), 10**15)
	failed = Lease("n", "d", state=rules.FAILED, heartbeat_ms=7)
	assert not rules.is_wanted(failed, 7 + REST_MS - 1)
	assert rules.is_wanted(failed, 7 + REST_MS)
