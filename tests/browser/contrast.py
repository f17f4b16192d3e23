"""The contrast of a control's edge with what is around it, as WCAG 1.4.11 counts it."""

from typing import Any

from playwright.sync_api import Page

CONTROLS = "input:not([type=hidden]), select, textarea, button, a.btn, a.button"

# For each visible control the best contrast of what marks its edge: a border against the colour behind the control,
# or the control's own background. Controls without either, such as buttons that look like links, are left out.
_MEASURE = """
(selector) => {
  const pen = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const over = (colour, [r, g, b]) => {
    pen.fillStyle = `rgb(${r} ${g} ${b})`; pen.fillRect(0, 0, 1, 1);
    pen.fillStyle = colour; pen.fillRect(0, 0, 1, 1);
    return [...pen.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const behind = (element) => {
    const chain = [];
    for (let at = element; at; at = at.parentElement) chain.unshift(getComputedStyle(at).backgroundColor);
    return chain.reduce((below, colour) => over(colour, below), [255, 255, 255]);
  };
  const luminance = (rgb) => {
    const [r, g, b] = rgb.map((v) => v / 255).map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (a, b) => {
    const [dark, light] = [luminance(a), luminance(b)].sort((x, y) => x - y);
    return (light + 0.05) / (dark + 0.05);
  };
  const found = [];
  for (const control of document.querySelectorAll(selector)) {
    const style = getComputedStyle(control);
    const box = control.getBoundingClientRect();
    const isNative = style.appearance === "auto" && ["checkbox", "radio"].includes(control.type);
    if (!control.checkVisibility({ visibilityProperty: true }) || box.width < 2 || isNative) continue;
    const around = behind(control.parentElement);
    const sides = ["Top", "Right", "Bottom", "Left"].map((side) => parseFloat(style[`border${side}Width`]));
    const border = Math.min(...sides) ? over(style.borderBottomColor, around) : around;
    const inside = over(style.backgroundColor, around);
    const ratio = Math.max(contrast(border, around), contrast(inside, around));
    if (ratio > 1.001) found.push({ control: control.outerHTML.slice(0, 120), ratio });
  }
  return found;
}
"""


def controls_by_contrast(page: Page) -> list[dict[str, Any]]:
    """Each control with an edge, lowest contrast first."""
    found: list[dict[str, Any]] = page.evaluate(_MEASURE, CONTROLS)
    return sorted(found, key=lambda each: each["ratio"])
