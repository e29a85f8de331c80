// What components need of whoever shows them: Desk, or a page of ours without Desk around it. Components ask
// `use_host` and nothing else, so that both show the same ones.
//
// A host has
//   t(text, values)             the text in the reader's language
//   read, look, attempt, upload the ways to the server (`desk/calls.js`): every call settles
//   on(event, go)               what the server publishes; gives what ends it
//   toast(text, colour)         a word that goes by itself; text only
//   confirm(text)               a promise: whether the reader agrees
//   icon(name, size)            a drawing of the host's, as markup of ours

import { createApp, h, inject } from "vue";

const HOST = Symbol("host");

export function use_host() {
	return inject(HOST);
}

// Show a component in a node. `props` may be reactive: what changes there is drawn anew.
export function mount(component, props, root, host) {
	const app = createApp({ render: () => h(component, props) });
	app.provide(HOST, host);
	app.config.globalProperties.__ = host.t; // what translators find in templates
	app.mount(root);
	return app;
}
