import { attempt } from "./desk/calls.js";
import { offer } from "./desk/choices.js";
import { Desk } from "./desk/desk.js";
import { to_the_minute } from "./desk/moments.js";
import { shorten_decimals } from "./desk/numbers.js";
import { translate_reasons } from "./desk/reasons.js";
import { phone_preview } from "./desk/phone_preview.js";
import { filter, report } from "./desk/reports.js";
import { template_category, template_status } from "./desk/template_status.js";
import { extend_system_health } from "./desk/system_health.js";

frappe.provide("khalifa");
khalifa.desk = new Desk();
khalifa.attempt = attempt; // for forms and lists that wait for what comes of something
Object.assign(khalifa, { to_the_minute, offer, phone_preview, template_category, template_status }); // for forms of what customers get
Object.assign(khalifa, { report, filter }); // for reports, whose scripts are loaded one by one
shorten_decimals();
translate_reasons();
extend_system_health();

$(document).on("app_ready", () => Desk.is_for(frappe.user_roles) && khalifa.desk.start());
