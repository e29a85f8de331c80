import { Inbox } from "./inbox/inbox.js";

frappe.provide("khalifa");
khalifa.Inbox = Inbox;
