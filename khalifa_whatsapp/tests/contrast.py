"""How well texts on a page can be read: the contrast of each with what lies behind it,
as WCAG 2 reckons it.
"""

from __future__ import annotations

# Texts in sight with less contrast than wanted: [ratio, text, classes]. Backgrounds are laid over each other
# down to one that lets nothing through; what can't be clicked now, emoji and pictures are left out.
FAINT = r"""
const [root, wanted] = arguments;
const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
const read = (colour) => {
	canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
	const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data; return [r, g, b, a / 255];
};
const over = ([r, g, b, a], [R, G, B]) => [r * a + R * (1 - a), g * a + G * (1 - a), b * a + B * (1 - a), 1];
const behind = (node) => {
	const layers = [];
	for (; node; node = node.parentElement) {
		const colour = read(getComputedStyle(node).backgroundColor);
		if (colour[3] > 0) layers.push(colour);
		if (colour[3] >= 0.999) break;
	}
	return layers.reverse().reduce((below, layer) => over(layer, below), [255, 255, 255, 1]);
};
const light = ([r, g, b]) => {
	const [x, y, z] = [r, g, b].map((part) => (part / 255 <= 0.04045 ? part / 255 / 12.92
		: ((part / 255 + 0.055) / 1.055) ** 2.4));
	return 0.2126 * x + 0.7152 * y + 0.0722 * z;
};
const ratio = (one, other) => { const [a, b] = [light(one), light(other)].sort((x, y) => y - x);
	return (a + 0.05) / (b + 0.05); };
const faint = [];
for (const node of document.querySelectorAll(`${root}, ${root} *`)) {
	const text = [...node.childNodes].filter((child) => child.nodeType === 3)
		.map((child) => child.data.trim()).join(" ").trim()
		|| (node.matches("input, textarea") ? node.value || node.placeholder : "");
	if (!text || !/[\p{L}\p{N}✓]/u.test(text) || !node.checkVisibility({ checkOpacity: true,
		checkVisibilityCSS: true }) || node.closest(":disabled")) continue;
	const style = node.matches("input, textarea") && !node.value ? getComputedStyle(node, "::placeholder")
		: getComputedStyle(node);
	const back = behind(node);
	const value = ratio(over(read(style.color), back), back);
	if (value < wanted) faint.push([Math.round(value * 100) / 100, text.slice(0, 40),
		`${node.tagName.toLowerCase()}.${node.className} < ${node.parentElement?.className}`]);
}
return faint;
"""
