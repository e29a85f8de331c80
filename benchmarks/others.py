"""What the app's hooks cost a request that has nothing to do with it, beside Frappe's answer to the plainest
one, a ping.

Both run in this process, in alternating rounds. Only hooks that every request passes are counted
(`auth_hooks`, `after_request`). Nothing on the site is changed.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import time

from common import bench_folder, on_bench_python

BOUND = 0.10
ROUNDS, CALLS = 15, 60
ARABIC = "\u0645\u0644\u0627\u062d\u0638\u0629 \u0644\u0644\u0641\u0631\u0639 " * 60
NOTE = json.dumps({"doctype": "Note", "content": ARABIC}, ensure_ascii=False)
REQUESTS = (
	("GET", "/about", {}),
	("GET", "/search", {"q": "Khalifa Ticket"}),
	("GET", "/api/resource/ToDo", {"filters": '[["status", "=", "Open"]]'}),
	("POST", "/api/method/frappe.desk.reportview.get", {"doctype": "Note", "fields": '["name"]'}),
	("POST", "/api/method/frappe.desk.form.save.savedocs", {"doc": NOTE}),
)


def main() -> int:
	"""Print both medians and the ratio; 1 when it is above the bound."""
	parser = argparse.ArgumentParser(
		description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
	)
	parser.add_argument("--site", required=True)
	site = parser.parse_args().site
	on_bench_python()
	os.chdir(bench_folder() / "sites")
	rounds = [(hooks(site), ping(site)) for _round in range(ROUNDS)]
	ours, theirs = (statistics.median(column) for column in zip(*rounds, strict=True))
	ratio = statistics.median(one / other for one, other in rounds)
	print(f"hooks {ours * 1e6:.0f} us, a ping {theirs * 1e6:.0f} us: ratio {ratio:.3f}, bound {BOUND}")
	return int(ratio > BOUND)


def hooks(site: str) -> float:
	"""The median request's seconds, of a guest's and an administrator's together."""
	import frappe
	from frappe.utils import set_request
	from werkzeug.wrappers import Response

	frappe.init(site=site, sites_path=".", force=True)
	frappe.connect()
	run = [
		frappe.get_attr(path)
		for path in frappe.get_hooks("auth_hooks")
		if path.startswith("khalifa_whatsapp.")
	]
	after = [
		frappe.get_attr(path)
		for path in frappe.get_hooks("after_request")
		if path.startswith("khalifa_whatsapp.")
	]
	spent, answer = [], Response("{}", mimetype="application/json")
	for number in range(CALLS):
		http, path, form = REQUESTS[number % len(REQUESTS)]
		frappe.set_user("Guest" if number % 2 else "Administrator")
		set_request(method=http, path=path)
		frappe.local.form_dict = frappe._dict(form)
		began = time.perf_counter()
		for hook in run:
			hook()
		for hook in after:
			hook(response=answer, request=frappe.local.request)
		spent.append(time.perf_counter() - began)
	frappe.destroy()
	return statistics.median(spent)


def ping(site: str) -> float:
	"""The median answer's seconds, of the whole application."""
	import frappe.app
	from werkzeug.test import Client

	client, spent = Client(frappe.app.application), []
	for _call in range(CALLS):
		began = time.perf_counter()
		client.get("/api/method/ping", headers={"X-Frappe-Site-Name": site}).close()
		spent.append(time.perf_counter() - began)
	return statistics.median(spent)


if __name__ == "__main__":
	sys.exit(main())
