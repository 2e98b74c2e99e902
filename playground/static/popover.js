/** Panels that open next to a control: menus, pickers, option lists. Escape and a click outside close them. */

import { h, rove } from "./dom.js";

const GAP = 6;
let open = null;

/** Show `content` next to `anchor`; returns a function that closes it. */
export function showPopover(anchor, content, { onclose = null, label = "" } = {}) {
  closePopover();
  const panel = h("div", { class: "popover", "aria-label": label || null }, content);
  (anchor.closest("dialog") ?? document.getElementById("overlays")).append(panel);
  place(panel, anchor);
  anchor.setAttribute("aria-expanded", "true");
  const stop = new AbortController();
  const { signal } = stop;
  open = { panel, anchor, stop, onclose };
  document.addEventListener("pointerdown", (event) => {
    if (!panel.contains(event.target) && !anchor.contains(event.target)) closePopover({ refocus: false });
  }, { signal });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    event.preventDefault(); // a form below must not close along with it
    closePopover();
  }, { signal, capture: true });
  panel.addEventListener("focusout", (event) => {
    const to = event.relatedTarget;
    if (to && !panel.contains(to) && !anchor.contains(to)) closePopover({ refocus: false });
  }, { signal });
  window.addEventListener("resize", () => closePopover({ refocus: false }), { signal });
  return closePopover;
}

/** Close the open panel, if any, and give the focus back to what opened it. */
export function closePopover({ refocus = true } = {}) {
  if (!open) return;
  const { panel, anchor, stop, onclose } = open;
  open = null;
  stop.abort();
  const inside = panel.contains(document.activeElement);
  panel.remove();
  anchor.setAttribute("aria-expanded", "false");
  if (refocus && (inside || document.activeElement === document.body)) anchor.focus();
  onclose?.();
}

/** Whether `anchor` has its panel open. */
export const isOpen = (anchor) => open?.anchor === anchor;

function place(panel, anchor) {
  const box = anchor.getBoundingClientRect();
  const { width, height } = panel.getBoundingClientRect();
  if (!anchor.isConnected || !box.width) {
    panel.classList.add("is-centred");
    return;
  }
  const below = box.bottom + GAP + height <= innerHeight;
  const top = below ? box.bottom + GAP : Math.max(GAP, box.top - GAP - height);
  const left = Math.max(GAP, Math.min(box.left, innerWidth - width - GAP));
  panel.style.setProperty("top", `${top}px`);
  panel.style.setProperty("left", `${left}px`);
}

/**
 * A menu below `anchor`. Entries: {label, icon?, run}, {heading} or {separator: true}; an entry with
 * `checked` is one of a choice.
 */
export function showMenu(anchor, entries, label) {
  const menu = h("div", { class: "menu", role: "menu", "aria-label": label }, entries.map(menuEntry));
  showPopover(anchor, menu, { label });
  const items = () => [...menu.querySelectorAll('[role^="menuitem"]:not([aria-disabled="true"])')];
  rove(menu, items);
  const first = menu.querySelector('[aria-checked="true"]') ?? items()[0];
  first?.focus();
  return menu;
}

function menuEntry(entry) {
  if (entry.heading) return h("div", { class: "menu-heading", role: "presentation" }, entry.heading);
  if (entry.separator) return h("hr", { class: "menu-line" });
  const choice = entry.checked !== undefined;
  return h("button", {
    type: "button", class: "menu-item", role: choice ? "menuitemradio" : "menuitem", tabindex: "-1",
    "aria-checked": choice ? String(entry.checked) : null, "aria-disabled": entry.disabled ? "true" : null,
    onclick: () => {
      if (entry.disabled) return;
      closePopover();
      entry.run();
    },
  }, entry.before ?? null, h("span", { class: "menu-label" }, entry.label), entry.note ? h("span", { class: "menu-note" }, entry.note) : null);
}

/** Ask for one short text next to `anchor`; `use` gets it. */
export function askText(anchor, { label, button, longest }, use) {
  const field = h("input", { class: "field", "aria-label": label, placeholder: label, maxlength: String(longest), autocomplete: "off" });
  const form = h("form", { class: "ask-form", onsubmit: (event) => {
    event.preventDefault();
    const text = field.value.trim();
    if (!text) return;
    closePopover();
    use(text);
  } }, field, h("button", { class: "button button-primary" }, button));
  showPopover(anchor, form, { label });
  field.focus();
}
