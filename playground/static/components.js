/** What a message carries besides text: rows of buttons and selects, and the newer layout blocks. */

import { h, icon } from "./dom.js";
import { localUrl, safeLink } from "./api.js";
import { emojiNode, withEmoji } from "./emoji.js";
import { render } from "./markdown.js";
import { SELECT_TYPES, selectMenu } from "./select.js";

const STYLES = { 1: "primary", 2: "secondary", 3: "success", 4: "danger", 5: "link", 6: "primary" };
const LINK = 5;
const LETTERS = "ABCDEFGHIJ";

/** Whether the first rows belong to the clips one by one, so that both can carry the same letter. */
export function isLettered(message, clips) {
  const rows = (message.components ?? []).filter((component) => component.type === 1);
  return clips >= 2 && rows.length >= clips;
}

/** The letter of the nth clip and row. */
export const letterOf = (index) => LETTERS[index] ?? String(index + 1);

/** All components of a message. `context`: {message, store, speaker, interactions, names, clips, playRow}. */
export function componentsOf(context) {
  const { message, clips } = context;
  const lettered = isLettered(message, clips);
  let row = 0;
  const nodes = (message.components ?? []).map((component) => {
    if (component.type !== 1) return layoutBlock(component, context);
    const letter = lettered && row < clips ? letterOf(row) : null;
    row += 1;
    return actionRow(component, context, letter);
  });
  if (!nodes.length) return null;
  const box = h("div", { class: lettered ? "components is-lettered" : "components" }, nodes);
  if (box.querySelector(".row")) walkWithArrows(box);
  return box;
}

function actionRow(row, context, letter) {
  const controls = (row.components ?? []).map((component) => control(component, context, letter));
  const label = letter
    ? h("button", { type: "button", class: "letter row-letter", dataset: { control: `letter-${letter}` }, "aria-label": `Play clip ${letter}`, title: `Play clip ${letter}`,
      onclick: () => context.playRow(LETTERS.indexOf(letter)) }, letter)
    : null;
  const sounds = letter && context.speaker.sounds(context.message.id, letter);
  return h("div", { class: sounds ? "row is-playing" : "row", role: "group", "aria-label": letter ? `Clip ${letter}` : "Actions", dataset: letter ? { letter } : {} }, label, controls);
}

function control(component, context, letter) {
  if (component.type === 2) return button(component, context, letter);
  if (SELECT_TYPES.has(component.type)) {
    const { message, store, interactions } = context;
    const node = selectMenu(component, store, {
      busy: interactions.isPending(message.id, component.custom_id),
      onchoose: (values) => interactions.press(message, component.custom_id, values),
    });
    node.dataset.control = component.custom_id;
    return node;
  }
  return layoutBlock(component, context);
}

/** A button. In a lettered row a label that is or begins with the letter is shown without it, and still read out whole. */
function button(component, { message, interactions }, letter = null) {
  const label = component.label ?? "";
  const repeats = Boolean(letter) && (label === letter || label.startsWith(`${letter} `));
  const shown = repeats ? label.slice(letter.length + 1) : label;
  const caption = [component.emoji ? emojiNode(component.emoji) : null, shown ? h("span", {}, withEmoji(shown)) : null];
  const look = `button button-${STYLES[component.style] ?? "secondary"}`;
  if (component.style === LINK) {
    const href = safeLink(component.url);
    return h("a", { class: look, href, target: "_blank", rel: "noopener noreferrer nofollow", dataset: { control: component.url } }, caption, icon("link"));
  }
  const busy = interactions.isPending(message.id, component.custom_id);
  return h("button", {
    type: "button", class: label && !repeats ? look : `${look} button-emoji`, "aria-label": repeats ? `${label} ${component.emoji?.name ?? ""}`.trim() : null, disabled: Boolean(component.disabled),
    "aria-busy": busy ? "true" : null, dataset: { control: component.custom_id, customId: component.custom_id },
    onclick: () => interactions.press(message, component.custom_id),
  }, caption);
}

/** One tab stop for all the controls of a message; the arrow keys walk the grid. */
function walkWithArrows(box) {
  const rows = () => [...box.querySelectorAll(".row")].map((row) => [...row.querySelectorAll(":is(button, a):not(:disabled)")]).filter((row) => row.length);
  const all = rows().flat();
  all.forEach((item, index) => (item.tabIndex = index ? -1 : 0));
  box.addEventListener("focusin", (event) => {
    for (const item of rows().flat()) item.tabIndex = item === event.target ? 0 : -1;
  });
  box.addEventListener("keydown", (event) => {
    const grid = rows();
    const y = grid.findIndex((row) => row.includes(event.target));
    if (y < 0) return;
    const x = grid[y].indexOf(event.target);
    const moves = {
      ArrowRight: [y, x + 1], ArrowLeft: [y, x - 1], ArrowDown: [y + 1, x], ArrowUp: [y - 1, x], Home: [y, 0], End: [y, grid[y].length - 1],
    };
    if (!(event.key in moves)) return;
    event.preventDefault();
    const [toY, toX] = moves[event.key];
    const row = grid[Math.max(0, Math.min(grid.length - 1, toY))];
    row[Math.max(0, Math.min(row.length - 1, toX))].focus();
  });
}

/** The layout blocks of messages whose whole body is components. */
function layoutBlock(component, context) {
  const inside = () => (component.components ?? []).map((child) => (child.type === 1 ? actionRow(child, context, null) : layoutBlock(child, context)));
  const blocks = {
    2: () => button(component, context),
    9: () => h("div", { class: "block-section" }, h("div", {}, inside()), component.accessory ? layoutBlock(component.accessory, context) : null),
    10: () => h("div", { class: "markdown" }, render(component.content ?? "", context.names)),
    11: () => picture(component.media, component.description, "thumbnail"),
    12: () => h("div", { class: "gallery" }, (component.items ?? []).map((item) => picture(item.media, item.description, "attached-image"))),
    13: () => picture(component.file, component.name, "attached-file"),
    14: () => h("hr", { class: component.divider === false ? "gap" : "line" }),
    17: () => container(component, inside()),
  };
  return blocks[component.type]?.() ?? h("p", { class: "hint" }, "This part cannot be shown here.");
}

function container(component, children) {
  const node = h("div", { class: "block-container" }, children);
  if (Number.isInteger(component.accent_color)) node.style.setProperty("--accent-line", colour(component.accent_color));
  return node;
}

/** A colour number as CSS. */
export const colour = (value) => `#${value.toString(16).padStart(6, "0")}`;

/** A picture, or a link to one that lives elsewhere (the page loads nothing from other hosts). */
export function picture(media, description, className) {
  const src = media?.url ? localUrl(media.url) : null;
  const href = media?.url ? safeLink(media.url) : null;
  if (className !== "attached-file" && src) {
    return h("a", { class: "picture", href: src, target: "_blank", rel: "noopener" }, h("img", { class: className, src, alt: description || "Picture", loading: "lazy" }));
  }
  const target = src ?? href;
  return target ? h("a", { href: target, target: "_blank", rel: "noopener noreferrer nofollow" }, description || target) : null;
}
