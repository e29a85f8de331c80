import { attempt } from "./desk/calls.js";
import { Desk } from "./desk/desk.js";
import { shorten_decimals } from "./desk/numbers.js";
import { translate_reasons } from "./desk/reasons.js";

frappe.provide("khalifa");
khalifa.desk = new Desk();
khalifa.attempt = attempt; // for forms and lists that wait for what comes of something
shorten_decimals();
translate_reasons();

$(document).on("app_ready", () => Desk.is_for(frappe.user_roles) && khalifa.desk.start());
