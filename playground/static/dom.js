/**
 * Small helpers that build the page out of DOM nodes.
 *
 * What people and bots write only ever becomes a text node or an attribute value: nothing here
 * (or elsewhere on the page) parses a string as markup.
 */

const SVG = "http://www.w3.org/2000/svg";
const PROPERTIES = new Set(["value", "checked", "disabled", "selected", "multiple", "hidden"]);

/** Make an element. `on…` props are listeners, `dataset` and `style` are objects, null is skipped. */
export function h(tag, props, ...children) {
  const element = document.createElement(tag);
  for (const [key, value] of Object.entries(props ?? {})) setProp(element, key, value);
  append(element, children);
  return element;
}

function setProp(element, key, value) {
  if (value === null || value === undefined) return;
  if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
  else if (key === "dataset") Object.assign(element.dataset, value);
  else if (key === "style") {
    for (const [name, entry] of Object.entries(value)) element.style.setProperty(name, entry);
  } else if (PROPERTIES.has(key)) element[key] = value;
  else if (value === true) element.setAttribute(key, "");
  else if (value !== false) element.setAttribute(key, value);
}

/** Append nodes, strings (as text) and nested lists of them; null and false are skipped. */
export function append(parent, children) {
  for (const child of children) {
    if (child === null || child === undefined || child === false) continue;
    if (Array.isArray(child)) append(parent, child);
    else parent.append(child);
  }
  return parent;
}

const PATHS = {
  menu: "M4 6h16M4 12h16M4 18h16",
  close: "M6 6l12 12M18 6L6 18",
  play: "M8 5v14l11-7z",
  pause: "M8 5v14M16 5v14",
  previous: "M18 6v12l-8-6zM7 6v12",
  next: "M6 6v12l8-6zM17 6v12",
  download: "M12 4v11m-5-5l5 5 5-5M5 20h14",
  more: "M5 12h.01M12 12h.01M19 12h.01",
  smile: "M12 3a9 9 0 100 18 9 9 0 000-18zM8.5 14.5c1.8 2.4 5.2 2.4 7 0M9 9.5h.01M15 9.5h.01",
  send: "M4 12l16-8-6 16-3-7z",
  clip: "M20 11l-8.5 8.5a5 5 0 01-7-7L13 4a3.4 3.4 0 015 5l-8.500 8.500a1.700 1.700 0 01-2.500-2.500L14 8",
  slash: "M5 4h14v16H5zM14 8l-4 8",
  sun: "M12 8a4 4 0 100 8 4 4 0 000-8zM12 2v2M12 20v2M2 12h2M20 12h2M5 5l1.500 1.500M17.500 17.500L19 19M5 19l1.500-1.500M17.500 6.500L19 5",
  moon: "M20 14.500A8 8 0 019.500 4a8 8 0 1010.500 10.500z",
  people: "M9 11a3.500 3.500 0 100-7 3.500 3.500 0 000 7zM2.500 20c.5-4 3-6 6.500-6s6 2 6.500 6M16 4.500a3.500 3.500 0 010 6.500M18 14.500c2 .8 3.200 2.600 3.500 5.500",
  reply: "M10 7L5 12l5 5M5 12h9a5 5 0 015 5v1",
  down: "M6 9l6 6 6-6",
  eye: "M2.500 12S6 5.500 12 5.500 21.500 12 21.500 12 18 18.500 12 18.500 2.500 12 2.500 12zM12 9.500a2.500 2.500 0 100 5 2.500 2.500 0 000-5z",
  thread: "M5 5h14v10H10l-5 4z",
  file: "M6 3h8l4 4v14H6zM14 3v4h4",
  link: "M8 16L17 7M10 7h7v7",
};
const SOLID = new Set(["play", "previous", "next", "send"]);

/** A decorative icon; the control around it carries the words. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  svg.setAttribute("class", SOLID.has(name) ? "icon icon-solid" : "icon");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", PATHS[name]);
  svg.append(path);
  return svg;
}

/** A path that draws one rounded bar for each height in [0, 1], in a `width` x `height` box. */
export function barsPath(heights, width, height) {
  const step = width / heights.length;
  const path = document.createElementNS(SVG, "path");
  const bars = heights.map((value, index) => {
    const size = Math.max(2, value * height);
    const x = (index * step).toFixed(2);
    return `M${x} ${((height - size) / 2).toFixed(2)}h${(step * 0.64).toFixed(2)}v${size.toFixed(2)}h-${(step * 0.64).toFixed(2)}z`;
  });
  path.setAttribute("d", bars.join(""));
  return path;
}

/** An empty SVG that stretches to its box. */
export function stretchedSvg(width, height) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("aria-hidden", "true");
  return svg;
}

/** A square button that shows an icon and says `label` to those who do not see it. */
export function iconButton(name, label, onclick, props = {}) {
  return h("button", { type: "button", class: "icon-button", "aria-label": label, title: label, onclick, ...props },
    icon(name));
}

let counter = 0;

/** An id that no other element of the page has. */
export function uniqueId(prefix) {
  counter += 1;
  return `${prefix}-${counter}`;
}

/** Say something to screen readers without moving the focus. */
export function announce(text) {
  const region = document.getElementById("announcer");
  region.textContent = "";
  region.append(text);
}

/** Keep one of `items()` in the tab order and let the arrow keys move between them. */
export function rove(container, items, { columns = null } = {}) {
  const focusAt = (list, index) => {
    const target = list[Math.max(0, Math.min(list.length - 1, index))];
    for (const item of list) item.tabIndex = item === target ? 0 : -1;
    target?.focus();
  };
  container.addEventListener("keydown", (event) => {
    const list = items();
    const at = list.indexOf(event.target);
    if (at < 0) return;
    const stride = columns ? columns() : 1;
    const steps = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: stride, ArrowUp: -stride };
    if (event.key in steps) focusAt(list, at + steps[event.key]);
    else if (event.key === "Home") focusAt(list, 0);
    else if (event.key === "End") focusAt(list, list.length - 1);
    else return;
    event.preventDefault();
  });
}
