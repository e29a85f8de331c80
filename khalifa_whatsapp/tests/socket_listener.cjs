// A client of Frappe's socket server that asks for what it likes, and prints each event that it receives on a line
// of its own. node socket_listener.cjs ADDRESS SITE SID '[["doctype_subscribe", "Note"], …]'; NODE_PATH is
// Frappe's node_modules
const { io } = require("socket.io-client");

const [address, site, sid, asked] = process.argv.slice(2);
const page = `http://${site}:${new URL(address).searchParams.get("web")}`;
const socket = io(`${new URL(address).origin}/${site}`, {
	extraHeaders: {
		cookie: `sid=${sid}`,
		origin: page,
		host: `${site}:${new URL(address).port}`,
		"x-frappe-site-name": site,
	},
	transports: ["websocket"],
});
const print = (...what) => process.stdout.write(JSON.stringify(what) + "\n");

socket.on("connect", () => {
	for (const what of JSON.parse(asked)) socket.emit(...what);
	print("connect");
});
socket.on("connect_error", (error) => print("connect_error", error.message));
socket.onAny(print);
