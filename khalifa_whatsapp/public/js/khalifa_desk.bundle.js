import { attempt } from "./desk/calls.js";
import { Desk } from "./desk/desk.js";
import { shorten_decimals } from "./desk/numbers.js";

frappe.provide("khalifa");
khalifa.desk = new Desk();
khalifa.attempt = attempt; // for forms and lists that wait for what comes of something
shorten_decimals();

$(document).on("app_ready", () => Desk.is_for(frappe.user_roles) && khalifa.desk.start());
