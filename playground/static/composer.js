/** The message box, and the slash bar that takes its place while a command is being filled in. */

import { api } from "./api.js";
import { flatten, isAllowed, readTail, search } from "./commands.js";
import { h, icon, iconButton, uniqueId } from "./dom.js";
import { optionField, suggestFor } from "./fields.js";
import { displayName } from "./store.js";

const LONGEST = 2000;
const SHOWN = 12;

export class Composer {
  #host;
  #store;
  #interactions;
  #reply = null;
  #file = null;
  #command = null;
  #items = [];
  #at = 0;
  #list = h("div", { class: "finder", role: "listbox", id: uniqueId("finder"), "aria-label": "Commands", hidden: true });
  #above = h("div", { class: "composer-above" });
  #error = h("p", { class: "composer-error", role: "alert", hidden: true });
  #status = h("p", { class: "composer-status", role: "status" });
  #input;
  #chooser;
  #box;

  constructor(host, { store, interactions }) {
    this.#host = host;
    this.#store = store;
    this.#interactions = interactions;
    this.#input = h("textarea", {
      id: "draft", rows: "1", maxlength: String(LONGEST), "aria-label": "Message", placeholder: "Message, or / for commands", role: "combobox",
      "aria-expanded": "false", "aria-autocomplete": "list", "aria-controls": this.#list.id, autocomplete: "off",
      oninput: () => this.#typed(), onkeydown: (event) => this.#key(event), onblur: () => this.#hideList(),
    });
    this.#chooser = h("input", { type: "file", hidden: true, "aria-label": "File to attach", tabindex: "-1", onchange: () => this.#attach(this.#chooser.files[0]) });
    this.#box = h("form", { class: "draft", onsubmit: (event) => this.#submitted(event) },
      iconButton("clip", "Attach a file", () => this.#chooser.click()),
      iconButton("slash", "Commands", () => this.startWith("/")),
      this.#input, this.#chooser,
      h("button", { class: "icon-button send", "aria-label": "Send", title: "Send" }, icon("send")));
    host.append(this.#list, this.#above, this.#error, this.#box, this.#status);
    store.on("channel", () => this.#reset());
    store.on("person", () => this.#reset());
    store.on("commands state", () => this.#input.value.startsWith("/") && this.#typed());
    store.on("command-pending", () => this.#showWaiting());
  }

  /** Put `text` into the message box, as if it had been typed. */
  startWith(text) {
    this.#leaveCommand();
    this.#input.value = text;
    this.#input.focus();
    this.#typed();
  }

  /** Answer a message. */
  replyTo(message) {
    this.#leaveCommand();
    this.#reply = message;
    this.#showAbove();
    this.#input.focus();
  }

  #reset() {
    this.#reply = null;
    this.#file = null;
    this.#leaveCommand();
    this.#showAbove();
    this.#say("");
    this.#input.value = "";
    this.#typed();
    this.#showWaiting();
    const name = this.#store.channel?.type === 1 ? "the bot" : `#${this.#store.channel?.name ?? ""}`;
    this.#input.placeholder = matchMedia("(max-width: 820px)").matches ? `Message ${name}` : `Message ${name}, or / for commands`;
  }

  #say(text) {
    this.#error.hidden = !text;
    this.#error.textContent = text;
  }

  #showWaiting() {
    const waiting = this.#interactions.waiting(this.#store.channelId);
    this.#status.textContent = waiting.length ? `Running /${waiting[0].command}…` : "";
  }

  // --- the list above the box: commands after "/", people after "@" ---

  #typed() {
    this.#input.style.setProperty("height", "auto");
    this.#input.style.setProperty("height", `${Math.min(this.#input.scrollHeight, 180)}px`);
    this.#say("");
    const text = this.#input.value;
    const mention = /(?:^|\s)@([^\s@]{0,30})$/.exec(text.slice(0, this.#input.selectionStart));
    if (text.startsWith("/")) this.#items = this.#commandItems(text.slice(1));
    else if (mention) this.#items = this.#peopleItems(mention[1]);
    else this.#items = [];
    this.#drawList(text);
  }

  #commandItems(typed) {
    const found = search(flatten(this.#store.commands), typed).slice(0, SHOWN);
    return found.map(({ entry, tail }) => {
      const allowed = isAllowed(entry.command, this.#store.self);
      return {
        title: `/${entry.words}`, note: entry.description, extra: allowed ? optionNames(entry) : "moderators only", dim: !allowed,
        take: () => this.openCommand(entry, readTail(tail, entry.options)),
      };
    });
  }

  #peopleItems(typed) {
    const people = [...this.#store.users.values()].filter((user) => displayName(user).toLowerCase().startsWith(typed.toLowerCase()));
    return people.slice(0, 8).map((user) => ({ title: `@${displayName(user)}`, note: user.bot ? "the bot" : "", take: () => this.#insertMention(user) }));
  }

  #insertMention(user) {
    const at = this.#input.selectionStart;
    const before = this.#input.value.slice(0, at).replace(/@[^\s@]*$/, `@${displayName(user)} `);
    this.#input.value = before + this.#input.value.slice(at);
    this.#input.setSelectionRange(before.length, before.length);
    this.#hideList();
    this.#input.focus();
  }

  #drawList(text) {
    this.#at = 0;
    const nodes = this.#items.map((item, index) => h("div", {
      class: item.dim ? "finder-item is-dim" : "finder-item", role: "option", id: `${this.#list.id}-${index}`, "aria-selected": "false",
      onpointerdown: (event) => event.preventDefault(), onclick: () => item.take(),
    }, h("b", {}, item.title), h("span", { class: "finder-note" }, item.note ?? ""), item.extra ? h("small", {}, item.extra) : null));
    if (!nodes.length && text.startsWith("/")) nodes.push(h("p", { class: "hint" }, this.#store.commands.length ? "No command like that." : "The bot has not told its commands yet."));
    this.#list.replaceChildren(...nodes);
    this.#list.hidden = !nodes.length;
    this.#input.setAttribute("aria-expanded", String(!this.#list.hidden));
    if (this.#items.length) this.#select(0);
  }

  #select(index) {
    this.#at = (index + this.#items.length) % this.#items.length;
    [...this.#list.children].forEach((node, at) => node.setAttribute("aria-selected", String(at === this.#at)));
    const node = this.#list.children[this.#at];
    node.scrollIntoView({ block: "nearest" });
    this.#input.setAttribute("aria-activedescendant", node.id);
  }

  #hideList() {
    this.#list.hidden = true;
    this.#input.setAttribute("aria-expanded", "false");
    this.#input.removeAttribute("aria-activedescendant");
  }

  #key(event) {
    if (event.isComposing) return;
    const listed = !this.#list.hidden && this.#items.length;
    const steps = { ArrowDown: 1, ArrowUp: -1 };
    if (listed && event.key in steps) this.#select(this.#at + steps[event.key]);
    else if (listed && (event.key === "Tab" || event.key === "Enter") && !event.shiftKey) this.#items[this.#at].take();
    else if (event.key === "Escape") this.#escape();
    else if (event.key === "Enter" && !event.shiftKey) this.#submitted(event);
    else return;
    event.preventDefault();
  }

  #escape() {
    if (!this.#list.hidden) this.#hideList();
    else {
      this.#reply = null;
      this.#file = null;
      this.#showAbove();
    }
  }

  // --- plain messages ---

  #attach(file) {
    this.#file = file ?? null;
    this.#showAbove();
    this.#input.focus();
  }

  #showAbove() {
    const chips = [];
    const chip = (name, words, clear) => h("div", { class: "above-chip" }, icon(name), h("span", {}, words), iconButton("close", "Remove", () => {
      clear();
      this.#showAbove();
      this.#input.focus();
    }));
    if (this.#reply) chips.push(chip("reply", `Replying to ${displayName(this.#reply.author)}`, () => (this.#reply = null)));
    if (this.#file) chips.push(chip("file", this.#file.name, () => (this.#file = null)));
    this.#above.replaceChildren(...chips);
  }

  async #submitted(event) {
    event.preventDefault();
    const text = this.#input.value.trim();
    if (!text && !this.#file) return;
    if (text.startsWith("/") && this.#items.length) {
      this.#items[this.#at].take();
      return;
    }
    const { me, channelId } = this.#store;
    const body = { user: me, channel: channelId, content: this.#withMentions(text), ...(this.#reply ? { reply_to: this.#reply.id } : {}) };
    try {
      await api.send(body, this.#file ? [this.#file] : []);
      if (this.#store.channelId === channelId && this.#store.me === me) this.#reset();
    } catch (error) {
      this.#say(error.message);
    }
  }

  #withMentions(text) {
    const people = [...this.#store.users.values()].sort((left, right) => displayName(right).length - displayName(left).length);
    return people.reduce((sentence, user) => sentence.replaceAll(`@${displayName(user)}`, `<@${user.id}>`), text);
  }

  // --- the slash bar ---

  /** Show the options of a command; `preset` holds what was typed already. */
  openCommand(entry, preset = {}) {
    this.#hideList();
    const fields = [];
    const suggest = (focused) => suggestFor({ store: this.#store, entry, fields, focused });
    fields.push(...[...entry.options].sort((left, right) => Number(right.required ?? false) - Number(left.required ?? false))
      .map((option) => optionField(option, { store: this.#store, suggest }, preset[option.name])));
    const allowed = isAllowed(entry.command, this.#store.self);
    const help = h("p", { class: "hint slash-help" }, entry.description ?? "");
    const form = h("form", { class: "slash", "aria-label": `/${entry.words}`, novalidate: true,
      onsubmit: (event) => {
        event.preventDefault();
        this.#run();
      },
      onkeydown: (event) => {
        if (event.key !== "Escape") return;
        event.preventDefault();
        this.startWith("");
      },
      onfocusin: (event) => {
        const field = fields.find((one) => one.node.contains(event.target));
        help.textContent = field ? describeOption(field.option) : entry.description ?? "";
      } },
    h("div", { class: "slash-head" }, h("b", { class: "slash-name" }, `/${entry.words}`), help,
      iconButton("close", "Leave this command", () => this.startWith(""))),
    allowed ? null : h("p", { class: "hint hint-warn" }, "This command is for moderators. The bot will probably say no."),
    h("div", { class: "slash-fields" }, fields.map((field) => field.node),
      h("button", { class: "button button-primary", dataset: { run: "1" } }, "Run")));
    this.#command = { entry, fields, form };
    this.#box.hidden = true;
    this.#box.before(form);
    const first = fields.find((field) => field.option.required && !field.input.value) ?? fields.find((field) => !field.input.value);
    (first?.input ?? form.querySelector("[data-run]")).focus();
  }

  #leaveCommand() {
    this.#command?.form.remove();
    this.#command = null;
    this.#box.hidden = false;
    this.#say("");
  }

  #run() {
    const { entry, fields } = this.#command;
    const files = [];
    const options = [];
    for (const field of fields) {
      field.input.removeAttribute("aria-invalid");
      let value;
      try {
        value = field.read();
        if (value === undefined && field.option.required) throw new RangeError(`${field.option.name} is needed.`);
      } catch (error) {
        this.#say(error.message);
        field.input.setAttribute("aria-invalid", "true");
        field.input.focus();
        return;
      }
      if (value === undefined) continue;
      if (value instanceof File) files.push(value);
      options.push({ name: field.option.name, value: value instanceof File ? String(files.length - 1) : value });
    }
    this.startWith("");
    this.#interactions.command({ name: entry.name, path: entry.path, options }, files);
  }
}

function describeOption(option) {
  const { min_value: low, max_value: high } = option;
  const range = Number.isFinite(low) && Number.isFinite(high) ? ` (${low} to ${high})` : "";
  return `${option.name}: ${option.description ?? ""}${range}`;
}

function optionNames(entry) {
  return entry.options.map((option) => (option.required ? option.name : `[${option.name}]`)).join(" ");
}
