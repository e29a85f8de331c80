// Macros: one tap does all of it. Everybody's and one's own, which are written here.

import { reactive } from "vue";

import { component_dialog } from "./component_dialog.js";
import MacroEditor from "./components/MacroEditor.vue";
import MacroList from "./components/MacroList.vue";
import { kept } from "./macro_text.js";
import { attempt, read, toast, uuid } from "./util.js";

export function macros(inbox) {
	const { ticket } = inbox.thread;
	return read("macros.offered")
		.then((offered) => {
			if (inbox.ticket === ticket) new Macros(inbox, ticket, offered).show();
		})
		.catch((error) => toast(error.text, "red"));
}

class Macros {
	constructor(inbox, ticket, offered) {
		Object.assign(this, { inbox, ticket, key: uuid() });
		this.state = reactive({ macros: offered, may_write: Boolean(inbox.me.agent) });
	}

	show() {
		this.box = component_dialog({
			title: __("Macros"),
			component: MacroList,
			props: {
				state: this.state,
				onRun: (one) => this.run(one),
				onEdit: (one) => this.edit(one),
				onRemove: (one) => this.remove(one),
			},
		});
	}

	// The same key while the list is open: a tap that nobody answered and the next one are one run
	run(one) {
		const { ticket } = this;
		const args = { ticket, macro: one.name, client_key: `${this.key}:${one.name}` };
		return this.box.run(() =>
			attempt("macros.run", args).then(() => {
				toast(__("Done: {0}", [one.title]), "green");
				if (this.inbox.ticket === ticket) this.inbox.thread.changed();
			}),
		);
	}

	remove(one) {
		return attempt("macros.remove", { macro: one.name })
			.then(() => {
				this.state.macros = this.state.macros.filter(({ name }) => name !== one.name);
			})
			.catch((error) => toast(error.text, "red"));
	}

	edit(one) {
		return read("inbox.agents")
			.then((agents) => this.write(one, agents))
			.catch((error) => toast(error.text, "red"));
	}

	write(one, agents) {
		const state = reactive({
			title: one?.title || "",
			steps: (one?.steps || [{ action: "Reply" }]).map((step) => ({ ...step })),
			agents,
			branches: this.inbox.branches,
			close_reasons: this.inbox.close_reasons,
		});
		const open = () =>
			component_dialog({
				title: one ? __("Change the Macro") : __("New Macro"),
				size: "large",
				component: MacroEditor,
				props: { state },
				action: __("Save"),
				go: () => {
					const steps = JSON.stringify(state.steps.map(kept));
					return attempt("macros.save", { title: state.title, steps, macro: one?.name || "" }).then(
						() => toast(__("Saved. You find it among your macros."), "green"),
					);
				},
			});
		return this.box.hide().then(open);
	}
}
