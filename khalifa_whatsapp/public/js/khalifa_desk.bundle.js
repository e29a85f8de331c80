import { Desk } from "./desk/desk.js";

frappe.provide("khalifa");
khalifa.desk = new Desk();

$(document).on("app_ready", () => Desk.is_for(frappe.user_roles) && khalifa.desk.start());
