/** Select menus, in messages and in forms: a button that opens a list with one or several choices. */

import { h, icon, rove } from "./dom.js";
import { closePopover, isOpen, showPopover } from "./popover.js";
import { emojiNode, withEmoji } from "./emoji.js";
import { displayName } from "./store.js";

const STRING = 3;
const USER = 5;
const ROLE = 6;
const MENTIONABLE = 7;
const CHANNEL = 8;

/** Component types that are selects. */
export const SELECT_TYPES = new Set([STRING, USER, ROLE, MENTIONABLE, CHANNEL]);

/** What can be chosen: [{value, label, description?, emoji?, default?}]. */
export function choicesOf(component, store) {
  if (component.type === STRING) return component.options ?? [];
  const preset = new Set((component.default_values ?? []).map((entry) => entry.id));
  const entry = (value, label) => ({ value, label, default: preset.has(value) });
  if (component.type === USER || component.type === MENTIONABLE) {
    return [...store.users.values()].map((user) => entry(user.id, displayName(user)));
  }
  if (component.type === CHANNEL) {
    const types = new Set(component.channel_types ?? []);
    return [...store.channels.values()].filter((channel) => channel.type !== 1 && (!types.size || types.has(channel.type)))
      .map((channel) => entry(channel.id, `#${channel.name}`));
  }
  return [];
}

/**
 * A select. `onchoose(values)` is called when the choice is finished; `node.chosen` is the list of
 * values at any time.
 */
export function selectMenu(component, store, { onchoose = null, busy = false } = {}) {
  const choices = choicesOf(component, store);
  const chosen = new Set(choices.filter((choice) => choice.default).map((choice) => choice.value));
  const most = component.max_values ?? 1;
  const caption = h("span", { class: "select-caption" });
  const button = h("button", {
    type: "button", class: "select", disabled: Boolean(component.disabled), "aria-haspopup": "listbox", "aria-expanded": "false",
    "aria-busy": busy ? "true" : null, dataset: { customId: component.custom_id },
  }, caption, icon("down"));
  const tell = () => describe(caption, choices, chosen, component.placeholder);
  const finish = () => {
    tell();
    onchoose?.([...chosen]);
  };
  button.chosen = () => [...chosen];
  button.addEventListener("click", () => {
    if (busy) return;
    if (isOpen(button)) closePopover();
    else openList({ button, choices, chosen, most, least: component.min_values ?? 1, finish, label: component.placeholder ?? "Choose" });
  });
  tell();
  return button;
}

function describe(caption, choices, chosen, placeholder) {
  const labels = choices.filter((choice) => chosen.has(choice.value)).map((choice) => choice.label);
  caption.textContent = labels.join(", ") || placeholder || "Choose";
  caption.classList.toggle("is-empty", !labels.length);
}

function openList({ button, choices, chosen, most, least, finish, label }) {
  const several = most > 1;
  const before = [...chosen].join("\n");
  const list = h("div", { class: "options", role: "listbox", "aria-label": label, "aria-multiselectable": several ? "true" : null });
  const pick = (choice, node) => {
    if (!several) {
      chosen.clear();
      chosen.add(choice.value);
      closePopover();
      finish();
      return;
    }
    if (chosen.has(choice.value)) chosen.delete(choice.value);
    else if (chosen.size < most) chosen.add(choice.value);
    node.setAttribute("aria-selected", String(chosen.has(choice.value)));
  };
  for (const choice of choices) list.append(optionNode(choice, chosen.has(choice.value), pick));
  if (!choices.length) list.append(h("p", { class: "hint" }, "There is nothing to choose from."));
  rove(list, () => [...list.children]);
  const onclose = () => several && chosen.size >= least && [...chosen].join("\n") !== before && finish();
  const done = several ? h("button", { type: "button", class: "button button-primary", onclick: () => closePopover() }, "Done") : null;
  showPopover(button, [list, done], { label, onclose });
  (list.querySelector('[aria-selected="true"]') ?? list.firstElementChild)?.focus();
}

function optionNode(choice, selected, pick) {
  const node = h("button", { type: "button", class: "option", role: "option", tabindex: "-1", "aria-selected": String(selected), onclick: () => pick(choice, node) },
    choice.emoji ? emojiNode(choice.emoji) : null,
    h("span", { class: "option-text" }, h("span", {}, withEmoji(choice.label)),
      choice.description ? h("small", {}, choice.description) : null));
  return node;
}
