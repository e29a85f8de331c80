import { Desk } from "./desk/desk.js";
import { shorten_decimals } from "./desk/numbers.js";

frappe.provide("khalifa");
khalifa.desk = new Desk();
shorten_decimals();

$(document).on("app_ready", () => Desk.is_for(frappe.user_roles) && khalifa.desk.start());
