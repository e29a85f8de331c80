// Moments as Desk's forms show them: in the user's time zone, or else the site's, never the browser's; and
// «today» by the server's clock. Nothing here knows a browser, so that it can be tried without one.

const DAY = 86400000;

export class Times {
	constructor({ zone, language, now, texts }) {
		Object.assign(this, { zone, language, now, texts });
	}

	clock(at_ms) {
		return this.shown(at_ms, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
	}

	day(at_ms) {
		const days = Math.round((this.midnight(this.now()) - this.midnight(at_ms)) / DAY);
		if (days === 0) return this.texts.today;
		if (days === 1) return this.texts.yesterday;
		const is_near = days > 0 && days < 7;
		return this.shown(
			at_ms,
			is_near ? { weekday: "long" } : { day: "numeric", month: "long", year: "numeric" },
		);
	}

	short(at_ms) {
		const name = this.day(at_ms);
		return name === this.texts.today ? this.clock(at_ms) : name;
	}

	shown(at_ms, parts) {
		return new Intl.DateTimeFormat(this.language, { ...parts, timeZone: this.zone }).format(at_ms);
	}

	// The date there, as a number of milliseconds that has no zone
	midnight(at_ms) {
		const form = new Intl.DateTimeFormat("en", {
			timeZone: this.zone,
			year: "numeric",
			month: "numeric",
			day: "numeric",
		});
		const { year, month, day } = Object.fromEntries(
			form.formatToParts(at_ms).map((part) => [part.type, Number(part.value)]),
		);
		return Date.UTC(year, month - 1, day);
	}
}
