/** The inputs of the slash bar: one for each option, by its type. */

import { api } from "./api.js";
import { OPTION } from "./commands.js";
import { h, uniqueId } from "./dom.js";
import { displayName } from "./store.js";

const DEBOUNCE_MS = 180;

/**
 * An option as a labelled field.
 *
 * Returns {node, input, read()}; read() gives undefined when left empty, a value of the option's JSON
 * type, or a File; it throws a RangeError whose message can be shown.
 */
export function optionField(option, context, preset) {
  const id = uniqueId("option");
  const make = MAKERS[kindOf(option)];
  const made = make(option, { ...context, id });
  if (preset !== undefined) made.set?.(preset);
  const label = h("label", { class: "option-label", for: id }, option.name, option.required ? h("span", { class: "required", title: "Required" }, "*") : null);
  const node = h("div", { class: "option-field", title: option.description ?? "" }, label, made.node ?? made.input);
  made.input.id = id;
  if (option.required) made.input.setAttribute("aria-required", "true");
  if (option.description) made.input.setAttribute("aria-description", option.description);
  return { option, node, input: made.input, read: made.read };
}

function kindOf(option) {
  if (option.choices?.length || option.type === OPTION.BOOLEAN) return "list";
  if ([OPTION.USER, OPTION.CHANNEL, OPTION.MENTIONABLE, OPTION.ROLE].includes(option.type)) return "thing";
  if (option.type === OPTION.ATTACHMENT) return "file";
  if (option.autocomplete) return "complete";
  return option.type === OPTION.STRING ? "text" : "number";
}

const MAKERS = { list, thing, file, complete, text, number };

function typed(option, text) {
  if (option.type === OPTION.STRING) return text;
  const value = Number(text);
  const whole = option.type === OPTION.INTEGER;
  if (!Number.isFinite(value) || (whole && !Number.isInteger(value))) throw new RangeError(`${option.name} must be a ${whole ? "whole " : ""}number.`);
  if (option.min_value !== undefined && option.min_value !== null && value < option.min_value) throw new RangeError(`${option.name} must be at least ${option.min_value}.`);
  if (option.max_value !== undefined && option.max_value !== null && value > option.max_value) throw new RangeError(`${option.name} must be at most ${option.max_value}.`);
  return value;
}

function text(option) {
  const input = h("input", { class: "field", type: "text", placeholder: option.description ?? "", maxlength: option.max_length ?? 6000, autocomplete: "off" });
  const read = () => {
    if (input.value === "") return undefined;
    if (option.min_length && [...input.value].length < option.min_length) throw new RangeError(`${option.name} needs at least ${option.min_length} letters.`);
    return input.value;
  };
  return { input, read, set: (value) => (input.value = value) };
}

function number(option) {
  const step = option.type === OPTION.INTEGER ? "1" : "any";
  const range = Number.isFinite(option.min_value) && Number.isFinite(option.max_value) ? `${option.min_value}–${option.max_value}` : null;
  const input = h("input", { class: "field field-short", type: "number", step, placeholder: range, min: option.min_value, max: option.max_value, inputmode: step === "1" ? "numeric" : "decimal" });
  const read = () => {
    if (input.validity.badInput) throw new RangeError(`${option.name} must be a number.`);
    return input.value === "" ? undefined : typed(option, input.value);
  };
  return { input, read, set: (value) => (input.value = value) };
}

function pickList(entries) {
  const input = h("select", { class: "field" }, h("option", { value: "" }, "Not set"),
    entries.map(({ label }, index) => h("option", { value: String(index) }, label)));
  const set = (wanted) => {
    const at = entries.findIndex(({ label, value }) => [label.toLowerCase(), String(value).toLowerCase()].includes(String(wanted).toLowerCase()));
    if (at >= 0) input.value = String(at);
  };
  return { input, set, read: () => (input.value === "" ? undefined : entries[Number(input.value)].value) };
}

function list(option) {
  if (option.type === OPTION.BOOLEAN) return pickList([{ label: "Yes", value: true }, { label: "No", value: false }]);
  return pickList(option.choices.map((choice) => ({ label: choice.name, value: choice.value })));
}

function thing(option, { store }) {
  const users = () => [...store.users.values()].map((user) => ({ label: displayName(user), value: user.id }));
  const kinds = new Set(option.channel_types ?? []);
  const channels = () => [...store.channels.values()].filter((channel) => channel.type !== 1 && (!kinds.size || kinds.has(channel.type)))
    .map((channel) => ({ label: `#${channel.name}`, value: channel.id }));
  if (option.type === OPTION.CHANNEL) return pickList(channels());
  return pickList(option.type === OPTION.ROLE ? [] : users());
}

function file() {
  const input = h("input", { class: "field field-file", type: "file" });
  return { input, read: () => input.files[0] };
}

/** A text field whose suggestions come from the bot while typing. */
function complete(option, { suggest, id }) {
  const listId = `${id}-list`;
  const input = h("input", { class: "field", type: "text", role: "combobox", autocomplete: "off", "aria-expanded": "false", "aria-autocomplete": "list", "aria-controls": listId, placeholder: option.description ?? "", maxlength: option.max_length ?? 6000 });
  const box = h("div", { class: "suggestions", role: "listbox", id: listId, "aria-label": `Suggestions for ${option.name}`, hidden: true });
  const suggestions = new Suggestions(input, box, () => suggest(option.name));
  const read = () => {
    if (input.value === "") return undefined;
    return suggestions.chosen?.name === input.value ? suggestions.chosen.value : typed(option, input.value);
  };
  return { input, read, node: h("div", { class: "complete" }, input, box), set: (value) => (input.value = value) };
}

class Suggestions {
  chosen = null;
  #choices = [];
  #at = -1;
  #timer = 0;
  #turn = 0;

  constructor(input, box, ask) {
    this.input = input;
    this.box = box;
    this.ask = ask;
    input.addEventListener("input", () => this.#later());
    input.addEventListener("focus", () => this.#later());
    input.addEventListener("blur", () => this.#hide());
    input.addEventListener("keydown", (event) => this.#key(event));
  }

  #later() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#fetch(), DEBOUNCE_MS);
  }

  async #fetch() {
    this.#turn += 1;
    const turn = this.#turn;
    let choices = [];
    try {
      choices = await this.ask();
    } catch {
      choices = []; // suggestions are a convenience: the person can still type the whole value
    }
    if (turn !== this.#turn || document.activeElement !== this.input) return;
    this.#choices = choices.slice(0, 25);
    this.#at = -1;
    this.box.replaceChildren(...this.#choices.map((choice, index) => h("div", { class: "option", role: "option", id: `${this.box.id}-${index}`, "aria-selected": "false",
      onpointerdown: (event) => {
        event.preventDefault();
        this.#take(index);
      } }, choice.name)));
    this.box.hidden = !this.#choices.length;
    this.input.setAttribute("aria-expanded", String(!this.box.hidden));
  }

  #key(event) {
    if (this.box.hidden) return;
    const steps = { ArrowDown: 1, ArrowUp: -1 };
    if (event.key in steps) this.#move((this.#at + steps[event.key] + this.#choices.length) % this.#choices.length);
    else if (event.key === "Enter" && this.#at >= 0) this.#take(this.#at);
    else if (event.key === "Tab" && this.#at >= 0) {
      this.#take(this.#at);
      return;
    } else if (event.key === "Escape") this.#hide();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  #move(to) {
    this.#at = to;
    [...this.box.children].forEach((node, index) => node.setAttribute("aria-selected", String(index === to)));
    this.box.children[to].scrollIntoView({ block: "nearest" });
    this.input.setAttribute("aria-activedescendant", this.box.children[to].id);
  }

  #take(index) {
    this.chosen = this.#choices[index];
    this.input.value = this.chosen.name;
    this.#hide();
  }

  #hide() {
    clearTimeout(this.#timer);
    this.#turn += 1;
    this.box.hidden = true;
    this.input.setAttribute("aria-expanded", "false");
    this.input.removeAttribute("aria-activedescendant");
  }
}

/** Ask the bot for suggestions for one option, given the others as they stand. */
export async function suggestFor({ store, entry, fields, focused }) {
  const options = fields.flatMap((field) => {
    const value = field.option.name === focused ? field.input.value : quiet(field.read);
    return value === undefined || value instanceof File ? [] : [{ name: field.option.name, value }];
  });
  const answer = await api.autocomplete({ user: store.me, channel: store.channelId, name: entry.name, path: entry.path, options, focused });
  return answer?.choices ?? [];
}

function quiet(read) {
  try {
    return read();
  } catch {
    return undefined;
  }
}
