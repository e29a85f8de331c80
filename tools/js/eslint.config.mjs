// What scripts are checked for. How they are laid out is Prettier's business, not checked here.

import js from "@eslint/js";
import vue from "eslint-plugin-vue";
import globals from "globals";

// What Frappe's pages offer to every script.
const DESK = Object.fromEntries(
	[
		...[
			"$",
			"__",
			"cint",
			"cur_dialog",
			"cur_frm",
			"cur_list",
			"flt",
			"format_number",
			"frappe",
			"get_number_format",
		],
		...["get_number_format_info", "khalifa", "khalifa_whatsapp", "locals", "moment"],
	].map((name) => [name, "readonly"]),
);

const RULES = {
	eqeqeq: ["error", "always", { null: "ignore" }],
	"no-else-return": "error",
	"no-implicit-coercion": ["error", { boolean: false }],
	"no-shadow": "error",
	"no-throw-literal": "error",
	"no-unneeded-ternary": "error",
	"no-unused-vars": ["error", { args: "after-used", caughtErrors: "none" }],
	"no-use-before-define": ["error", { functions: false, classes: false, variables: false }],
	"no-var": "error",
	"object-shorthand": "error",
	"prefer-const": "error",
};

export default [
	{ ignores: ["**/node_modules/", "khalifa_whatsapp/public/dist/"] },
	{ linterOptions: { reportUnusedDisableDirectives: "error" } },
	js.configs.recommended,
	...vue.configs["flat/essential"],
	{ rules: RULES },
	{
		files: ["khalifa_whatsapp/**/*.js"],
		languageOptions: { sourceType: "script", globals: { ...globals.browser, ...DESK } },
	},
	{
		// The body of a function that Selenium makes of it in WhatsApp's page
		files: ["khalifa_whatsapp/drivers/whatsapp_web/page.js"],
		languageOptions: { parserOptions: { ecmaFeatures: { globalReturn: true } } },
		rules: { "no-shadow": "off" },
	},
	{
		files: ["simulation/simulators/**/*.js"],
		languageOptions: { sourceType: "script", globals: { ...globals.browser, open: "off" } }, // the open chat
	},
	{
		files: ["**/*.vue"],
		rules: { "vue/no-v-html": "error", "vue/prop-name-casing": "off" },
		languageOptions: { globals: { ...globals.browser, ...DESK } },
	},
	{ files: ["khalifa_whatsapp/public/**/*.js"], languageOptions: { sourceType: "module" } },
	{ files: ["**/*.mjs", "**/*.cjs"], languageOptions: { globals: globals.node } },
];
