// Every name under localhost is this machine (RFC 6761), also where the system's resolver does not know it.
const dns = require("dns");

const ask = dns.lookup;
dns.lookup = (name, ...rest) => ask(name.endsWith(".localhost") ? "localhost" : name, ...rest);
