/** Forms that the bot opens (modals). */

import { h, iconButton, uniqueId } from "./dom.js";
import { render } from "./markdown.js";
import { SELECT_TYPES, selectMenu } from "./select.js";

const ROW = 1;
const TEXT_INPUT = 4;
const TEXT = 10;
const LABEL = 18;
const UPLOAD = 19;
const RADIO = 21;
const CHECKS = 22;
const CHECK = 23;
const PARAGRAPH = 2;

export class Modals {
  constructor({ store, interactions, names }) {
    this.store = store;
    this.interactions = interactions;
    this.names = names;
    this.dialog = null;
    store.on("MODAL_OPEN", (data) => this.open(data));
    store.on("person", () => this.close());
  }

  close() {
    this.dialog?.close();
  }

  /** Show the form {id, custom_id, title, components}. */
  open(data) {
    this.close();
    const modal = { ...data, channelId: data.channel ?? this.store.channelId };
    const before = document.activeElement;
    const readers = [];
    const problem = h("p", { class: "composer-error", role: "alert", hidden: true });
    const submit = h("button", { class: "button button-primary" }, "Submit");
    const heading = uniqueId("modal-title");
    const form = h("form", { class: "modal-form", method: "dialog", novalidate: true },
      h("header", { class: "modal-head" }, h("h2", { id: heading }, modal.title ?? "Form"), iconButton("close", "Close", () => dialog.close())),
      h("div", { class: "modal-body" }, (modal.components ?? []).map((component) => this.#part(component, readers)), problem),
      h("footer", { class: "modal-foot" }, h("button", { type: "button", class: "button button-secondary", onclick: () => dialog.close() }, "Cancel"), submit));
    const dialog = h("dialog", { class: "modal", "aria-labelledby": heading }, form);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit({ modal, readers, problem, submit, dialog });
    });
    dialog.addEventListener("close", () => {
      dialog.remove();
      if (this.dialog === dialog) this.dialog = null;
      if (before?.isConnected) before.focus();
    });
    this.dialog = dialog;
    document.getElementById("overlays").append(dialog);
    dialog.showModal();
    form.querySelector(".modal-body :is(input, textarea, button, select)")?.focus();
  }

  async #submit({ modal, readers, problem, submit, dialog }) {
    const files = [];
    const values = {};
    problem.hidden = true;
    for (const reader of readers) {
      const fault = reader.check?.();
      if (fault) {
        problem.textContent = fault;
        problem.hidden = false;
        reader.focus?.();
        return;
      }
      values[reader.customId] = reader.read(files);
    }
    submit.disabled = true;
    submit.setAttribute("aria-busy", "true");
    const failure = await this.interactions.submit(modal, values, files);
    submit.disabled = false;
    submit.removeAttribute("aria-busy");
    if (!failure) {
      dialog.close();
      return;
    }
    problem.textContent = failure;
    problem.hidden = false;
  }

  #part(component, readers) {
    if (component.type === ROW) return (component.components ?? []).map((child) => this.#labelled({ label: child.label, component: child }, readers));
    if (component.type === LABEL) return this.#labelled(component, readers);
    if (component.type === TEXT) return h("div", { class: "markdown" }, render(component.content ?? "", this.names));
    return this.#labelled({ label: component.label, component }, readers);
  }

  #labelled({ label, description, component }, readers) {
    const id = uniqueId("modal");
    const made = this.#control(component, id);
    if (!made) return h("p", { class: "hint" }, "This field cannot be shown here.");
    const needed = component.required ?? component.type !== CHECK;
    readers.push({ customId: component.custom_id, read: made.read, focus: made.focus, check: () => (needed && made.empty?.() ? `${label ?? "This field"} is needed.` : made.check?.(label) ?? null) });
    const group = [RADIO, CHECKS].includes(component.type);
    const caption = h(group ? "legend" : "label", { class: "modal-label", for: group ? null : id }, label ?? "", needed && component.type !== CHECK ? h("span", { class: "required", title: "Required" }, "*") : null);
    return h(group ? "fieldset" : "div", { class: "modal-part" }, caption, description ? h("p", { class: "hint" }, description) : null, made.node);
  }

  #control(component, id) {
    if (component.type === TEXT_INPUT) return textInput(component, id);
    if (SELECT_TYPES.has(component.type)) {
      const node = selectMenu(component, this.store);
      node.id = id;
      return { node, read: () => node.chosen(), empty: () => !node.chosen().length, focus: () => node.focus() };
    }
    if (component.type === UPLOAD) return upload(component, id);
    if (component.type === RADIO) return choices(component, id, "radio");
    if (component.type === CHECKS) return choices(component, id, "checkbox");
    if (component.type === CHECK) return checkbox(component, id);
    return null;
  }
}

function textInput(component, id) {
  const props = { id, class: "field", placeholder: component.placeholder, maxlength: component.max_length ?? 4000, value: component.value ?? "", autocomplete: "off", dataset: { customId: component.custom_id } };
  const node = component.style === PARAGRAPH ? h("textarea", { ...props, rows: "6" }) : h("input", { ...props, type: "text" });
  const check = (label) => {
    const length = [...node.value].length;
    if (length && component.min_length && length < component.min_length) return `${label ?? "This field"} needs at least ${component.min_length} letters.`;
    return null;
  };
  return { node, check, read: () => node.value, empty: () => node.value.trim() === "", focus: () => node.focus() };
}

function upload(component, id) {
  const node = h("input", { id, class: "field field-file", type: "file", multiple: (component.max_values ?? 1) > 1 });
  const read = (files) => [...node.files].slice(0, component.max_values ?? 1).map((file) => String(files.push(file) - 1));
  return { node, read, empty: () => !node.files.length, focus: () => node.focus() };
}

function choices(component, id, type) {
  const boxes = (component.options ?? []).map((option) => h("input", { type, name: id, value: option.value, checked: Boolean(option.default) }));
  const lines = (component.options ?? []).map((option, index) => h("label", { class: "choice" }, boxes[index],
    h("span", {}, option.label, option.description ? h("small", {}, option.description) : null)));
  const chosen = () => boxes.filter((box) => box.checked).map((box) => box.value);
  const check = (label) => {
    const [least, most] = [component.min_values ?? 0, component.max_values ?? boxes.length];
    if (type !== "checkbox" || !chosen().length || (chosen().length >= least && chosen().length <= most)) return null;
    return `${label ?? "This field"}: choose ${least === most ? most : `${least} to ${most}`}.`;
  };
  const read = () => (type === "radio" ? chosen()[0] ?? null : chosen());
  return { node: h("div", { class: "choices", id }, lines), check, read, empty: () => !chosen().length, focus: () => boxes[0]?.focus() };
}

function checkbox(component, id) {
  const node = h("input", { id, type: "checkbox", class: "check", checked: Boolean(component.default) });
  return { node, read: () => node.checked, focus: () => node.focus() };
}
