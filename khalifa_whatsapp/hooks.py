app_name = "khalifa_whatsapp"
app_title = "Khalifa WhatsApp"
app_publisher = "Khalifa"
app_description = "One WhatsApp number, shared safely by the agents of many branches"
app_email = "support@example.com"
app_license = "MIT"

# Install

after_install = "khalifa_whatsapp.setup.install.after_install"
after_migrate = "khalifa_whatsapp.setup.install.after_migrate"
before_uninstall = "khalifa_whatsapp.setup.uninstall.before_uninstall"
after_uninstall = "khalifa_whatsapp.setup.uninstall.after_uninstall"

# Desk

app_include_js = ["khalifa_links.bundle.js", "khalifa_desk.bundle.js"]

# Permissions: lists by condition, single records by the same condition

permission_query_conditions = {
	"Access Log": "khalifa_whatsapp.access.attached_rows.query_conditions",
	"Activity Log": "khalifa_whatsapp.access.attached_rows.query_conditions",
	"Auto Email Report": "khalifa_whatsapp.access.attached_rows.query_conditions",
	"Auto Repeat": "khalifa_whatsapp.access.attached_rows.query_conditions",
	"Calendar View": "khalifa_whatsapp.access.attached_rows.query_conditions",
	"Comment": "khalifa_whatsapp.access.attached_rows.query_conditions",
	"Communication": "khalifa_whatsapp.access.attached_rows.query_conditions",
	"Communication Link": "khalifa_whatsapp.access.attached_rows.query_conditions",
	"Dashboard Chart": "khalifa_whatsapp.access.attached_rows.query_conditions",
	"Data Import": "khalifa_whatsapp.access.attached_rows.query_conditions",
	"Data Import Log": "khalifa_whatsapp.access.attached_rows.query_conditions",
	"Deleted Document": "khalifa_whatsapp.access.attached_rows.query_conditions",
	"Discussion Reply": "khalifa_whatsapp.access.attached_rows.query_conditions",
	"Discussion Topic": "khalifa_whatsapp.access.attached_rows.query_conditions",
	"DocShare": "khalifa_whatsapp.access.attached_rows.query_conditions",
	"Document Follow": "khalifa_whatsapp.access.attached_rows.query_conditions",
	"Document Share Key": "khalifa_whatsapp.access.attached_rows.query_conditions",
	"Dynamic Link": "khalifa_whatsapp.access.attached_rows.query_conditions",
	"Email Queue": "khalifa_whatsapp.access.attached_rows.query_conditions",
	"Email Unsubscribe": "khalifa_whatsapp.access.attached_rows.query_conditions",
	"Energy Point Log": "khalifa_whatsapp.access.attached_rows.query_conditions",
	"Error Log": "khalifa_whatsapp.access.attached_rows.query_conditions",
	"Event": "khalifa_whatsapp.access.attached_rows.query_conditions",
	"Event Participants": "khalifa_whatsapp.access.attached_rows.query_conditions",
	"File": [
		"khalifa_whatsapp.access.files.query_conditions_of_files",
		"khalifa_whatsapp.access.attached_rows.query_conditions",
	],
	"Integration Request": "khalifa_whatsapp.access.attached_rows.query_conditions",
	"Kanban Board": "khalifa_whatsapp.access.attached_rows.query_conditions",
	"Khalifa Agent": "khalifa_whatsapp.permissions.query_conditions",
	"Khalifa Agent KPI": "khalifa_whatsapp.permissions.query_conditions",
	"Khalifa Agent Shift": "khalifa_whatsapp.permissions.query_conditions",
	"Khalifa Alert": "khalifa_whatsapp.permissions.query_conditions",
	"Khalifa Browser Session": "khalifa_whatsapp.permissions.query_conditions",
	"Khalifa Close Batch": "khalifa_whatsapp.permissions.query_conditions",
	"Khalifa Close Batch Item": "khalifa_whatsapp.permissions.query_conditions",
	"Khalifa Customer": "khalifa_whatsapp.permissions.query_conditions",
	"Khalifa Customer Identity": "khalifa_whatsapp.permissions.query_conditions",
	"Khalifa Delay Event": "khalifa_whatsapp.permissions.query_conditions",
	"Khalifa Device Notice": "khalifa_whatsapp.permissions.query_conditions",
	"Khalifa KPI Day": "khalifa_whatsapp.permissions.query_conditions",
	"Khalifa Message": "khalifa_whatsapp.permissions.query_conditions",
	"Khalifa Message Status": "khalifa_whatsapp.permissions.query_conditions",
	"Khalifa Presence Log": "khalifa_whatsapp.permissions.query_conditions",
	"Khalifa Provider Template": "khalifa_whatsapp.permissions.query_conditions",
	"Khalifa Reply Template": "khalifa_whatsapp.permissions.query_conditions",
	"Khalifa Ticket": "khalifa_whatsapp.permissions.query_conditions",
	"Khalifa Ticket Event": "khalifa_whatsapp.permissions.query_conditions",
	"Khalifa Turn": "khalifa_whatsapp.permissions.query_conditions",
	"Khalifa Turn Segment": "khalifa_whatsapp.permissions.query_conditions",
	"Khalifa Webhook Event": "khalifa_whatsapp.permissions.query_conditions",
	"List Filter": "khalifa_whatsapp.access.attached_rows.query_conditions",
	"Milestone": "khalifa_whatsapp.access.attached_rows.query_conditions",
	"Notification Log": "khalifa_whatsapp.access.attached_rows.query_conditions",
	"Number Card": "khalifa_whatsapp.access.attached_rows.query_conditions",
	"Prepared Report": "khalifa_whatsapp.access.attached_rows.query_conditions",
	"Reminder": "khalifa_whatsapp.access.attached_rows.query_conditions",
	"Report": "khalifa_whatsapp.access.attached_rows.query_conditions",
	"Submission Queue": "khalifa_whatsapp.access.attached_rows.query_conditions",
	"Tag Link": [
		"khalifa_whatsapp.access.tags.query_conditions",
		"khalifa_whatsapp.access.attached_rows.query_conditions",
	],
	"ToDo": "khalifa_whatsapp.access.attached_rows.query_conditions",
	"Transaction Log": "khalifa_whatsapp.access.attached_rows.query_conditions",
	"User Permission": "khalifa_whatsapp.access.attached_rows.query_conditions",
	"Version": "khalifa_whatsapp.access.attached_rows.query_conditions",
	"View Log": "khalifa_whatsapp.access.attached_rows.query_conditions",
	"Webhook Request Log": "khalifa_whatsapp.access.attached_rows.query_conditions",
	"WhatsApp Device": "khalifa_whatsapp.permissions.query_conditions",
	"Workflow Action": "khalifa_whatsapp.access.attached_rows.query_conditions",
}

has_permission = {
	"Access Log": "khalifa_whatsapp.access.attached_rows.has_permission",
	"Activity Log": "khalifa_whatsapp.access.attached_rows.has_permission",
	"Auto Email Report": "khalifa_whatsapp.access.attached_rows.has_permission",
	"Auto Repeat": "khalifa_whatsapp.access.attached_rows.has_permission",
	"Calendar View": "khalifa_whatsapp.access.attached_rows.has_permission",
	"Comment": "khalifa_whatsapp.access.attached_rows.has_permission",
	"Communication": "khalifa_whatsapp.access.attached_rows.has_permission",
	"Dashboard Chart": "khalifa_whatsapp.access.attached_rows.has_permission",
	"Data Import": "khalifa_whatsapp.access.attached_rows.has_permission",
	"Data Import Log": "khalifa_whatsapp.access.attached_rows.has_permission",
	"Deleted Document": "khalifa_whatsapp.access.attached_rows.has_permission",
	"Discussion Reply": "khalifa_whatsapp.access.attached_rows.has_permission",
	"Discussion Topic": "khalifa_whatsapp.access.attached_rows.has_permission",
	"DocShare": "khalifa_whatsapp.access.attached_rows.has_permission",
	"Document Follow": "khalifa_whatsapp.access.attached_rows.has_permission",
	"Document Share Key": "khalifa_whatsapp.access.attached_rows.has_permission",
	"Email Queue": "khalifa_whatsapp.access.attached_rows.has_permission",
	"Email Unsubscribe": "khalifa_whatsapp.access.attached_rows.has_permission",
	"Energy Point Log": "khalifa_whatsapp.access.attached_rows.has_permission",
	"Error Log": "khalifa_whatsapp.access.attached_rows.has_permission",
	"Event": "khalifa_whatsapp.access.attached_rows.has_permission",
	"File": [
		"khalifa_whatsapp.access.files.has_permission",
		"khalifa_whatsapp.access.attached_rows.has_permission",
	],
	"Integration Request": "khalifa_whatsapp.access.attached_rows.has_permission",
	"Kanban Board": "khalifa_whatsapp.access.attached_rows.has_permission",
	"Khalifa Agent": "khalifa_whatsapp.permissions.has_permission",
	"Khalifa Agent KPI": "khalifa_whatsapp.permissions.has_permission",
	"Khalifa Alert": "khalifa_whatsapp.permissions.has_permission",
	"Khalifa Browser Session": "khalifa_whatsapp.permissions.has_permission",
	"Khalifa Close Batch": "khalifa_whatsapp.permissions.has_permission",
	"Khalifa Close Batch Item": "khalifa_whatsapp.permissions.has_permission",
	"Khalifa Customer": "khalifa_whatsapp.permissions.has_permission",
	"Khalifa Customer Identity": "khalifa_whatsapp.permissions.has_permission",
	"Khalifa Delay Event": "khalifa_whatsapp.permissions.has_permission",
	"Khalifa Device Notice": "khalifa_whatsapp.permissions.has_permission",
	"Khalifa KPI Day": "khalifa_whatsapp.permissions.has_permission",
	"Khalifa Message": "khalifa_whatsapp.permissions.has_permission",
	"Khalifa Message Status": "khalifa_whatsapp.permissions.has_permission",
	"Khalifa Presence Log": "khalifa_whatsapp.permissions.has_permission",
	"Khalifa Provider Template": "khalifa_whatsapp.permissions.has_permission",
	"Khalifa Reply Template": "khalifa_whatsapp.permissions.has_permission",
	"Khalifa Settings": "khalifa_whatsapp.permissions.has_permission",
	"Khalifa Ticket": "khalifa_whatsapp.permissions.has_permission",
	"Khalifa Ticket Event": "khalifa_whatsapp.permissions.has_permission",
	"Khalifa Turn": "khalifa_whatsapp.permissions.has_permission",
	"Khalifa Turn Segment": "khalifa_whatsapp.permissions.has_permission",
	"Khalifa Webhook Event": "khalifa_whatsapp.permissions.has_permission",
	"List Filter": "khalifa_whatsapp.access.attached_rows.has_permission",
	"Milestone": "khalifa_whatsapp.access.attached_rows.has_permission",
	"Notification Log": "khalifa_whatsapp.access.attached_rows.has_permission",
	"Number Card": "khalifa_whatsapp.access.attached_rows.has_permission",
	"Prepared Report": "khalifa_whatsapp.access.attached_rows.has_permission",
	"Reminder": "khalifa_whatsapp.access.attached_rows.has_permission",
	"Report": "khalifa_whatsapp.access.attached_rows.has_permission",
	"Submission Queue": "khalifa_whatsapp.access.attached_rows.has_permission",
	"Tag Link": [
		"khalifa_whatsapp.access.tags.has_permission",
		"khalifa_whatsapp.access.attached_rows.has_permission",
	],
	"ToDo": "khalifa_whatsapp.access.attached_rows.has_permission",
	"Transaction Log": "khalifa_whatsapp.access.attached_rows.has_permission",
	"User Permission": "khalifa_whatsapp.access.attached_rows.has_permission",
	"Version": "khalifa_whatsapp.access.attached_rows.has_permission",
	"View Log": "khalifa_whatsapp.access.attached_rows.has_permission",
	"Webhook Request Log": "khalifa_whatsapp.access.attached_rows.has_permission",
	"WhatsApp Device": "khalifa_whatsapp.permissions.has_permission",
	"Workflow Action": "khalifa_whatsapp.access.attached_rows.has_permission",
}

# Every request passes `method_policy`; answers about our rows pass `logins`
auth_hooks = ["khalifa_whatsapp.access.method_policy.check_request"]
after_request = ["khalifa_whatsapp.access.logins.hide"]

override_whitelisted_methods = {
	"frappe.client.get": "khalifa_whatsapp.access.overrides.get",
	"frappe.client.get_count": "khalifa_whatsapp.access.overrides.get_count",
	"frappe.client.validate_link": "khalifa_whatsapp.access.overrides.validate_link",
	"frappe.core.api.file.zip_files": "khalifa_whatsapp.access.exports.zip_files",
	"frappe.core.doctype.data_export.exporter.export_data": "khalifa_whatsapp.access.exports.export_data",
	"frappe.core.doctype.data_import.data_import.download_errored_template": (
		"khalifa_whatsapp.access.exports.download_errored_template"
	),
	"frappe.core.doctype.data_import.data_import.download_import_log": (
		"khalifa_whatsapp.access.exports.download_import_log"
	),
	"frappe.core.doctype.data_import.data_import.download_template": (
		"khalifa_whatsapp.access.exports.download_template"
	),
	"frappe.core.doctype.file.file.zip_files": "khalifa_whatsapp.access.exports.zip_files",
	"frappe.desk.doctype.event.event.get_events": "khalifa_whatsapp.access.closed_rows.get_events",
	"frappe.desk.doctype.tag.tag.add_tag": "khalifa_whatsapp.access.tags.add_tag",
	"frappe.desk.doctype.tag.tag.add_tags": "khalifa_whatsapp.access.tags.add_tags",
	"frappe.desk.doctype.tag.tag.get_tagged_docs": "khalifa_whatsapp.access.tags.get_tagged_docs",
	"frappe.desk.doctype.tag.tag.remove_tag": "khalifa_whatsapp.access.tags.remove_tag",
	"frappe.desk.form.utils.get_next": "khalifa_whatsapp.access.overrides.get_next",
	"frappe.desk.like.toggle_like": "khalifa_whatsapp.access.overrides.toggle_like",
	"frappe.desk.listview.get_group_by_count": "khalifa_whatsapp.access.overrides.get_group_by_count",
	"frappe.desk.query_report.export_query": "khalifa_whatsapp.access.exports.export_report",
	"frappe.desk.reportview.export_query": "khalifa_whatsapp.access.exports.export_list",
	"frappe.desk.search.get_link_title": "khalifa_whatsapp.access.overrides.get_link_title",
	"frappe.desk.search.search_link": "khalifa_whatsapp.access.overrides.search_link",
	"frappe.desk.search.search_widget": "khalifa_whatsapp.access.overrides.search_widget",
	"frappe.realtime.can_subscribe_doc": "khalifa_whatsapp.access.rooms.can_subscribe_doc",
	"frappe.realtime.can_subscribe_doctype": "khalifa_whatsapp.access.rooms.can_subscribe_doctype",
	"frappe.utils.global_search.search": "khalifa_whatsapp.access.closed_rows.search",
}

override_doctype_class = {
	"Auto Email Report": "khalifa_whatsapp.access.mailed_reports.GuardedAutoEmailReport",
	"File": "khalifa_whatsapp.access.files.GuardedFile",
}

# No "*": a hook on every event of every document would slow the whole site down.
doc_events = {
	"Auto Email Report": {"validate": "khalifa_whatsapp.access.mailed_reports.validate"},
	"Error Log": {"before_insert": "khalifa_whatsapp.access.error_logs.keep_content_out"},
	"File": {
		"before_insert": "khalifa_whatsapp.access.files.before_insert",
		"validate": "khalifa_whatsapp.access.files.validate",
	},
	"DocShare": {"validate": "khalifa_whatsapp.access.sharing.refuse_share"},
	"Khalifa Agent": {"on_update": "khalifa_whatsapp.setup.onboarding.mark_steps"},
	"Khalifa Branch": {"on_update": "khalifa_whatsapp.setup.onboarding.mark_steps"},
	"Khalifa Reply Template": {"validate": "khalifa_whatsapp.permissions.keep_owner"},
	"Khalifa Settings": {"on_update": "khalifa_whatsapp.setup.onboarding.mark_steps"},
	"System Settings": {"on_update": "khalifa_whatsapp.jobs.scheduler_watch.settings_changed"},
	"ToDo": {"validate": "khalifa_whatsapp.access.sharing.refuse_assignment"},
	"WhatsApp Device": {"on_update": "khalifa_whatsapp.setup.onboarding.mark_steps"},
	(  # what may hang on ours: access/attachable.py
		"Access Log",
		"Activity Log",
		"Auto Email Report",
		"Auto Repeat",
		"Calendar View",
		"Comment",
		"Communication",
		"Dashboard Chart",
		"Data Import",
		"Data Import Log",
		"Deleted Document",
		"Discussion Reply",
		"Discussion Topic",
		"DocShare",
		"Document Follow",
		"Document Share Key",
		"Email Queue",
		"Email Unsubscribe",
		"Energy Point Log",
		"Error Log",
		"Event",
		"File",
		"Integration Request",
		"Kanban Board",
		"List Filter",
		"Milestone",
		"Notification Log",
		"Number Card",
		"Prepared Report",
		"Reminder",
		"Report",
		"Submission Queue",
		"Tag Link",
		"ToDo",
		"Transaction Log",
		"User Permission",
		"Version",
		"View Log",
		"Webhook Request Log",
		"Workflow Action",
	): {"validate": "khalifa_whatsapp.access.attached_rows.validate"},
}

# Jobs

scheduler_events = {
	"cron": {
		"* * * * *": ["khalifa_whatsapp.jobs.minute.run"],
		"7 * * * *": ["khalifa_whatsapp.jobs.hourly.run"],
		"20 2 * * *": ["khalifa_whatsapp.jobs.nightly.run"],
	},
}
