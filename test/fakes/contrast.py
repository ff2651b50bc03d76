"""What on a page is hard to read."""

_FAINT = """() => {
    const numbers = (colour) => colour.match(/[\\d.]+/g).map(Number);
    const luminance = (colour) => {
        const [r, g, b] = numbers(colour).map((v) => v / 255).map(
            (v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const behind = (node) => {
        for (; node; node = node.parentElement) {
            const colour = getComputedStyle(node).backgroundColor;
            if ((numbers(colour)[3] ?? 1) > 0.9) return colour;
        }
        return "rgb(255, 255, 255)";
    };
    document.getAnimations().forEach((animation) => animation.finish());
    const found = [];
    for (const node of document.querySelectorAll("body *")) {
        const texts = [...node.childNodes].filter((n) => n.nodeType === Node.TEXT_NODE);
        if (!texts.some((n) => n.textContent.trim())) continue;
        if (!node.checkVisibility() || node.disabled) continue;
        const [low, high] = [getComputedStyle(node).color, behind(node)].map(luminance).sort(
            (a, b) => a - b);
        const contrast = (high + 0.05) / (low + 0.05);
        if (contrast < 4.5) found.push(`${node.textContent.trim()}: ${contrast.toFixed(2)}`);
    }
    return found;
}"""


def faint_texts(page):
    """Texts with a contrast under 4.5, which is what WCAG 2 wants of small ones (level AA).

    Text on half-transparent grounds is measured against what is behind them.
    """
    return page.evaluate(_FAINT)
