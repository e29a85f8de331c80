// To whom: a searchable list that shows who is there and how much each has, and why it is handed on. For one
// conversation and for many.

import { reactive } from "vue";

import { component_dialog } from "./component_dialog.js";
import TransferPicker from "./components/TransferPicker.vue";
import { toast } from "./util.js";

// `agents`: as the server's `inbox.agents`; `branches`: names; `holder`: who has it, and is not offered; `go`: gets
// { to_agent, to_branch, reason } and gives a promise
export function choose_receiver({ agents, branches, holder = "", is_manager = false, title, action, go }) {
	const state = reactive({ agents, branches, holder, is_manager, chosen: null, reason: "" });
	return component_dialog({
		title: title || __("Transfer the Conversation"),
		component: TransferPicker,
		props: { state },
		action: action || __("Transfer"),
		go: () => {
			if (!state.chosen) return missing(__("Choose the agent or the branch that takes it."));
			if (!state.reason.trim()) return missing(__("Write why: the next one will need it."));
			const { kind, name } = state.chosen;
			return go({
				to_agent: kind === "agent" ? name : null,
				to_branch: kind === "branch" ? name : null,
				reason: state.reason,
			});
		},
	});
}

function missing(text) {
	toast(text);
	return null;
}
