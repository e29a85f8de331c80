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

# Permissions: lists by condition, single records by the same condition

permission_query_conditions = {
	"File": "khalifa_whatsapp.files.query_conditions_of_files",
	"Khalifa Agent": "khalifa_whatsapp.permissions.query_conditions",
	"Khalifa Agent KPI": "khalifa_whatsapp.permissions.query_conditions",
	"Khalifa Agent Shift": "khalifa_whatsapp.permissions.query_conditions",
	"Khalifa Browser Session": "khalifa_whatsapp.permissions.query_conditions",
	"Khalifa Close Batch": "khalifa_whatsapp.permissions.query_conditions",
	"Khalifa Close Batch Item": "khalifa_whatsapp.permissions.query_conditions",
	"Khalifa Customer": "khalifa_whatsapp.permissions.query_conditions",
	"Khalifa Customer Identity": "khalifa_whatsapp.permissions.query_conditions",
	"Khalifa Delay Event": "khalifa_whatsapp.permissions.query_conditions",
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
	"Tag Link": "khalifa_whatsapp.tags.query_conditions",
	"WhatsApp Device": "khalifa_whatsapp.permissions.query_conditions",
}

has_permission = {
	"File": "khalifa_whatsapp.files.has_permission",
	"Khalifa Agent": "khalifa_whatsapp.permissions.has_permission",
	"Khalifa Agent KPI": "khalifa_whatsapp.permissions.has_permission",
	"Khalifa Browser Session": "khalifa_whatsapp.permissions.has_permission",
	"Khalifa Close Batch": "khalifa_whatsapp.permissions.has_permission",
	"Khalifa Close Batch Item": "khalifa_whatsapp.permissions.has_permission",
	"Khalifa Customer": "khalifa_whatsapp.permissions.has_permission",
	"Khalifa Customer Identity": "khalifa_whatsapp.permissions.has_permission",
	"Khalifa Delay Event": "khalifa_whatsapp.permissions.has_permission",
	"Khalifa KPI Day": "khalifa_whatsapp.permissions.has_permission",
	"Khalifa Message": "khalifa_whatsapp.permissions.has_permission",
	"Khalifa Message Status": "khalifa_whatsapp.permissions.has_permission",
	"Khalifa Presence Log": "khalifa_whatsapp.permissions.has_permission",
	"Khalifa Settings": "khalifa_whatsapp.permissions.has_permission",
	"Khalifa Provider Template": "khalifa_whatsapp.permissions.has_permission",
	"Khalifa Reply Template": "khalifa_whatsapp.permissions.has_permission",
	"Khalifa Ticket": "khalifa_whatsapp.permissions.has_permission",
	"Khalifa Ticket Event": "khalifa_whatsapp.permissions.has_permission",
	"Khalifa Turn": "khalifa_whatsapp.permissions.has_permission",
	"Khalifa Turn Segment": "khalifa_whatsapp.permissions.has_permission",
	"Khalifa Webhook Event": "khalifa_whatsapp.permissions.has_permission",
	"Tag Link": "khalifa_whatsapp.tags.has_permission",
	"WhatsApp Device": "khalifa_whatsapp.permissions.has_permission",
}

override_whitelisted_methods = {
	"frappe.client.get": "khalifa_whatsapp.overrides.get",
	"frappe.client.get_count": "khalifa_whatsapp.overrides.get_count",
	"frappe.client.validate_link": "khalifa_whatsapp.overrides.validate_link",
	"frappe.desk.doctype.tag.tag.add_tag": "khalifa_whatsapp.tags.add_tag",
	"frappe.desk.doctype.tag.tag.add_tags": "khalifa_whatsapp.tags.add_tags",
	"frappe.desk.doctype.tag.tag.get_tagged_docs": "khalifa_whatsapp.tags.get_tagged_docs",
	"frappe.desk.doctype.tag.tag.remove_tag": "khalifa_whatsapp.tags.remove_tag",
	"frappe.desk.like.toggle_like": "khalifa_whatsapp.overrides.toggle_like",
	"frappe.desk.search.get_link_title": "khalifa_whatsapp.overrides.get_link_title",
}

override_doctype_class = {"File": "khalifa_whatsapp.files.GuardedFile"}

# No "*": a hook on every event of every document would slow the whole site down.
doc_events = {
	"File": {
		"before_insert": "khalifa_whatsapp.files.before_insert",
		"validate": "khalifa_whatsapp.files.validate",
	},
	"DocShare": {"validate": "khalifa_whatsapp.sharing.refuse_share"},
	"ToDo": {"validate": "khalifa_whatsapp.sharing.refuse_assignment"},
}

# Jobs

scheduler_events = {
	"cron": {
		"* * * * *": ["khalifa_whatsapp.jobs.minute.run"],
		"7 * * * *": ["khalifa_whatsapp.jobs.hourly.run"],
		"20 2 * * *": ["khalifa_whatsapp.jobs.nightly.run"],
	},
}
