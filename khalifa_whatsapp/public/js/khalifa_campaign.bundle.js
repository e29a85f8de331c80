import { CampaignForm } from "./campaign/form.js";
import { filled } from "./campaign/progress.js";

frappe.provide("khalifa");
Object.assign(khalifa, { CampaignForm, filled });
