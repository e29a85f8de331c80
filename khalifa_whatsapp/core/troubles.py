"""What can be wrong with a device or with the background work, in the words that managers read."""

from __future__ import annotations

# Problems of a device, as its form and list show them
NEEDS_SECRETS, WRONG_SETTINGS, UNKNOWN_GATEWAY = "Needs Secrets", "Wrong Settings", "Unknown Gateway"

MESSAGES = {
	NEEDS_SECRETS: (
		"Its secrets can't be read any more, as after a backup was restored without its encryption key. "
		"Enter them again in the device's form."
	),
	WRONG_SETTINGS: "Its settings can't be used. Open the device's form and correct them.",
	UNKNOWN_GATEWAY: "No gateway of this name is known here. Choose another provider.",
	# steps of the background work, by their names in code
	"wake": "Waking the workers",
	"wake intake": "Waking the workers that take messages in",
	"wake outbox": "Waking the workers that send",
	"wake media": "Waking the workers that fetch files",
	"wake watch": "Waking the workers that watch sessions",
	"wake templates": "Waking the workers that sync templates",
	"wake look": "Having the numbers asked how they are",
	"sessions": "Finding out which devices have a session",
	"wake close all": "Waking the workers that close all",
	"close all run": "Closing all conversations",
	"close all": "Going on with «close all»",
	"parked statuses": "Giving late statuses to their messages",
	"presence": "Freeing what absent agents hold",
	"assignment": "Handing out conversations",
	"browsers": "Looking after browsers",
	"browsers of dead owners": "Ending browsers that nobody owns",
	"abandoned browsers": "Saying which browsers have ended",
	"possible duplicates": "Telling managers of possible duplicates",
	"notices": "Telling managers what gateways said of numbers",
	"templates": "Syncing templates",
	"deadlines": "Working out deadlines anew",
	"delays": "Looking for delays",
	"devices": "Looking at the devices' settings",
	"settings": "Reading the settings and business hours",
	"scheduler": "Looking after the schedule",
	"alerts": "Looking for what is wrong",
	"schedule alerts": "Looking whether the schedule is kept",
	"alert mails": "Mailing what is wrong",
	"counters": "Counting for the metrics",
	"old audit entries": "Deleting audit entries whose time is over",
	"intake": "Taking in what customers wrote",
	"care": "Answering by itself what customers wrote (people see it all the same)",
	"outbox": "Sending messages",
	"reconcile": "Looking for doubtful messages",
	"media": "Fetching customers' files",
	"watch": "Watching the device's session",
	"look": "Asking how the number is",
	"looks": "Having the numbers asked how they are",
	"exports": "Deleting exports whose time is over",
	"kpi today": "Computing today's figures",
	"kpi days": "Computing figures of changed days",
	"old events": "Clearing old webhook events",
	"search": "Looking whether search works",
	"reassign": "Transferring many conversations",
	"webhook": "Answering gateways",
}

PROBLEMS = frozenset(MESSAGES[kind] for kind in (NEEDS_SECRETS, WRONG_SETTINGS, UNKNOWN_GATEWAY))


def text_for(name: str) -> str:
	"""The words for a problem or a step; a step that has none yet is called by its name."""
	return MESSAGES.get(name, name)
