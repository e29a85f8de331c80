"""Which of Frappe's DocTypes hang on ours by name, and by which columns: comments, versions, notices,
filters, shared charts.

`attached_rows` goes by this table. A test reads all DocTypes of a site and finds those that it lacks. Not in
it: what says how DocTypes look and work and names no record (custom fields, print formats, workflows), and
documents of other apps that link to ours, which are those apps' own.
"""

from __future__ import annotations

from typing import NamedTuple


class Through(NamedTuple):
	"""Another table in which the columns stand: that of a linked row, or of the row's own child rows.

	`column` of the row holds what `out` holds over there; `kind`: only of rows with this DocType in this
	column.
	"""

	column: str
	doctype: str
	out: str = "name"
	kind: tuple[str, str] | None = None


class Ref(NamedTuple):
	"""How a row names what it hangs on: a record; or without `name` a DocType, all of whose readers may read
	the row.

	`own`: the column of the user to whom such a row belongs, and to nobody else: it was told to him, or was
	made with his rights. So it stays his when he may not read the record any more. `in_lists`: Frappe forgets
	only those; one by one it asks about what stands between.
	"""

	doctype: str
	name: str | None = None
	through: Through | None = None
	own: str | None = None
	in_lists: bool = False


REFERENCE = Ref("reference_doctype", "reference_name")
REFERENCE_DOC = Ref("reference_doctype", "reference_docname")
OF_COMMUNICATION = Through("attached_to_name", "Communication", kind=("attached_to_doctype", "Communication"))
OF_REPORT = Through("attached_to_name", "Report", kind=("attached_to_doctype", "Report"))


def _of_report(column: str, own: str | None = None) -> Ref:
	return Ref("ref_doctype", through=Through(column, "Report"), own=own)


ATTACHABLE: dict[str, tuple[Ref, ...]] = {
	"Access Log": (Ref("export_from", "reference_document"), _of_report("report_name", own="user")),
	"Activity Log": (REFERENCE, Ref("timeline_doctype", "timeline_name"), Ref("link_doctype", "link_name")),
	"Auto Email Report": (_of_report("report", own="owner"),),
	"Auto Repeat": (Ref("reference_doctype", "reference_document"),),
	"Calendar View": (Ref("reference_doctype"),),
	"Comment": (REFERENCE,),
	"Communication": (REFERENCE,),
	"Communication Link": (Ref("link_doctype", "link_name"),),
	"Dashboard Chart": (Ref("document_type"), _of_report("report_name")),
	"Data Import": (Ref("reference_doctype", own="owner"),),
	"Data Import Log": (
		Ref("reference_doctype", through=Through("data_import", "Data Import"), own="owner"),
	),
	"Deleted Document": (Ref("deleted_doctype", "deleted_name"),),
	"Discussion Reply": (REFERENCE_DOC._replace(through=Through("topic", "Discussion Topic")),),
	"Discussion Topic": (REFERENCE_DOC,),
	"DocShare": (Ref("share_doctype", "share_name"),),
	"Document Follow": (Ref("ref_doctype", "ref_docname"),),
	"Document Share Key": (REFERENCE_DOC,),
	"Dynamic Link": (Ref("link_doctype", "link_name"),),
	"Email Queue": (REFERENCE, REFERENCE._replace(through=Through("communication", "Communication"))),
	"Email Unsubscribe": (REFERENCE,),
	"Energy Point Log": (REFERENCE,),
	"Error Log": (REFERENCE,),
	"Event": (
		REFERENCE_DOC,
		REFERENCE_DOC._replace(through=Through("name", "Event Participants", out="parent")),
	),
	"Event Participants": (REFERENCE_DOC,),
	# Those that are attached to a record of ours: see `files`
	"File": (
		REFERENCE._replace(through=OF_COMMUNICATION, in_lists=True),
		Ref("ref_doctype", through=OF_REPORT, own="owner"),
	),
	"Integration Request": (REFERENCE_DOC,),
	"Kanban Board": (Ref("reference_doctype"),),
	"List Filter": (Ref("reference_doctype", own="for_user"),),
	"Milestone": (Ref("reference_type", "reference_name"),),
	"Notification Log": (Ref("document_type", "document_name", own="for_user"),),
	"Number Card": (Ref("document_type"), _of_report("report_name")),
	"Prepared Report": (_of_report("report_name", own="owner"),),
	"Reminder": (Ref("reminder_doctype", "reminder_docname"),),
	"Report": (Ref("ref_doctype"),),
	"Submission Queue": (Ref("ref_doctype", "ref_docname"),),
	"Tag Link": (Ref("document_type", "document_name"),),
	"ToDo": (Ref("reference_type", "reference_name"),),
	"Transaction Log": (Ref("reference_doctype", "document_name"),),
	"User Permission": (Ref("allow", "for_value"),),
	"Version": (Ref("ref_doctype", "docname"),),
	"View Log": (REFERENCE,),
	"Webhook Request Log": (Ref("webhook_doctype", through=Through("webhook", "Webhook"), own="user"),),
	"Workflow Action": (REFERENCE,),
}

# Frappe asks for the rights on rows of child tables where their parents are
CHILD_TABLES = frozenset({"Communication Link", "Dynamic Link", "Event Participants"})
WITHOUT_CHILDREN = tuple(doctype for doctype in ATTACHABLE if doctype not in CHILD_TABLES)
