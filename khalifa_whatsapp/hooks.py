"""Where Frappe calls us: dotted paths, and nothing else.

Every name here is a hook, except for modules: so the tables are imported as modules.
"""

from khalifa_whatsapp.access import attachable
from khalifa_whatsapp.core import audit, doctypes

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

# Permissions: lists by condition, single records by the same condition. Which DocTypes are ours, says
# core/doctypes.py; which of Frappe's have rows that hang on ours, access/attachable.py

permission_query_conditions = {
	**dict.fromkeys(doctypes.FILTERED, "khalifa_whatsapp.permissions.query_conditions"),
	**dict.fromkeys(attachable.ATTACHABLE, "khalifa_whatsapp.access.attached_rows.query_conditions"),
	"File": [
		"khalifa_whatsapp.access.files.query_conditions_of_files",
		"khalifa_whatsapp.access.attached_rows.query_conditions",
	],
	"Tag Link": [
		"khalifa_whatsapp.access.tags.query_conditions",
		"khalifa_whatsapp.access.attached_rows.query_conditions",
	],
}

has_permission = {
	**dict.fromkeys(doctypes.CHECKED, "khalifa_whatsapp.permissions.has_permission"),
	**dict.fromkeys(attachable.WITHOUT_CHILDREN, "khalifa_whatsapp.access.attached_rows.has_permission"),
	"File": [
		"khalifa_whatsapp.access.files.has_permission",
		"khalifa_whatsapp.access.attached_rows.has_permission",
	],
	"Tag Link": [
		"khalifa_whatsapp.access.tags.has_permission",
		"khalifa_whatsapp.access.attached_rows.has_permission",
	],
}

# Every request passes `method_policy`, answers about our rows `logins`. A monitor's token is not Frappe's
auth_hooks = [
	"khalifa_whatsapp.access.method_policy.check_request",
	"khalifa_whatsapp.api.monitors.answer_token",
]
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
	tuple(audit.WATCHED): {
		"before_save": "khalifa_whatsapp.site_audit.before_save",
		"on_update": "khalifa_whatsapp.site_audit.on_update",
		"on_trash": "khalifa_whatsapp.site_audit.on_trash",
		"after_rename": "khalifa_whatsapp.site_audit.after_rename",
	},
	"User": {
		"on_update": "khalifa_whatsapp.site_audit.user_saved",
		"on_trash": "khalifa_whatsapp.site_audit.user_deleted",
	},
	"Khalifa Reply Template": {"validate": "khalifa_whatsapp.permissions.keep_owner"},
	"Khalifa Settings": {"on_update": "khalifa_whatsapp.setup.onboarding.mark_steps"},
	"System Settings": {"on_update": "khalifa_whatsapp.jobs.scheduler_watch.settings_changed"},
	"ToDo": {"validate": "khalifa_whatsapp.access.sharing.refuse_assignment"},
	"WhatsApp Device": {"on_update": "khalifa_whatsapp.setup.onboarding.mark_steps"},
	attachable.WITHOUT_CHILDREN: {"validate": "khalifa_whatsapp.access.attached_rows.validate"},
}

# Jobs

# What Frappe's Log Settings delete, with the days that they begin with
default_log_clearing_doctypes = {
	"Khalifa Webhook Event": 90,
	"Khalifa Device Notice": 180,
	"Khalifa Alert": 30,
}

scheduler_events = {
	"cron": {
		"* * * * *": ["khalifa_whatsapp.jobs.minute.run"],
		"7 * * * *": ["khalifa_whatsapp.jobs.hourly.run"],
		"20 2 * * *": ["khalifa_whatsapp.jobs.nightly.run"],
	},
}
