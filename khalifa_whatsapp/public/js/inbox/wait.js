// How a customer's wait stands at a moment, in business time: how much is left of the limit, by how much it
// is over, or, where there is no limit, how long it has lasted. Deadlines and hours are the server's.

export function wait(row, now) {
	if (!row.waited || row.status === "Closed") return null;
	const { zero_ms, from_ms, until_ms, limit_ms } = row.waited;
	const lasted = Math.min(Math.max(now, from_ms), until_ms) - zero_ms;
	const level = row.due_by_ms && now > row.due_by_ms ? "bad" : is_soon(row, now) ? "warn" : "";
	if (!limit_ms) return { kind: "waited", ms: lasted, level, lasted };
	if (level === "bad") return { kind: "over", ms: Math.max(lasted - limit_ms, MINUTE), level, lasted };
	return { kind: "left", ms: up(Math.max(limit_ms - lasted, 1)), level, lasted };
}

const MINUTE = 60000;

function is_soon(row, now) {
	return Boolean(row.late_soon_ms) && now >= row.late_soon_ms;
}

// «1 min left» until it is over: nobody is shown «0 min left» for a minute
function up(ms) {
	return Math.ceil(ms / MINUTE) * MINUTE;
}
