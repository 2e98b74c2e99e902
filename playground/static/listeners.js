/** The panel of synthetic listeners: add some, watch them vote, see what they secretly like. */

import { api } from "./api.js";
import { h, icon, iconButton } from "./dom.js";
import { avatar } from "./message.js";
import { displayName } from "./store.js";

const REFRESH_MS = 2500;
const MOST = 50;

export class ListenersPanel {
  #list = h("ul", { class: "herd" });
  #problem = h("p", { class: "composer-error", role: "alert", hidden: true });
  #summary = h("p", { class: "hint", "aria-live": "off" });
  #reveal = h("button", { type: "button", class: "button button-secondary", onclick: () => this.#do(() => api.reveal(null)) }, icon("eye"), "Reveal all tastes");
  #remove = h("button", { type: "button", class: "button button-secondary", onclick: () => this.#do(() => api.removeListeners()) }, "Remove all");
  #timer = 0;
  #shown = "";

  constructor(host, { store, actions }) {
    this.host = host;
    this.store = store;
    const count = h("input", { class: "field field-short", type: "number", min: "1", max: String(MOST), value: "3", id: "listener-count", inputmode: "numeric" });
    const seed = h("input", { class: "field field-short", type: "number", min: "0", step: "1", value: "1", id: "listener-seed", inputmode: "numeric" });
    const form = h("form", { class: "herd-form", onsubmit: (event) => {
      event.preventDefault();
      this.add(Math.max(1, Math.min(MOST, Math.round(Number(count.value)) || 1)), Math.round(Number(seed.value)) || 0);
      seed.value = String((Math.round(Number(seed.value)) || 0) + 1);
    } },
    h("div", {}, h("label", { for: "listener-count" }, "How many"), count),
    h("div", {}, h("label", { for: "listener-seed", title: "The same seed gives the same tastes" }, "Seed"), seed),
    h("button", { class: "button button-primary" }, "Add"));
    host.append(
      h("header", { class: "drawer-head" }, h("h2", {}, "Listeners"), iconButton("close", "Close", () => actions.toggleListeners(false))),
      h("p", { class: "hint" }, "Synthetic listeners each have a hidden taste. They hear every round and vote by themselves."),
      form, this.#problem, this.#summary, this.#list, h("div", { class: "herd-foot" }, this.#reveal, this.#remove));
    store.on("users", () => this.refresh());
    store.on("state", () => this.refresh());
  }

  show() {
    this.host.hidden = false;
    this.refresh();
    clearInterval(this.#timer);
    this.#timer = setInterval(() => this.refresh(), REFRESH_MS);
  }

  hide() {
    this.host.hidden = true;
    clearInterval(this.#timer);
  }

  async add(count, seed) {
    await this.#do(() => api.addListeners(count, seed));
  }

  async #do(work) {
    this.#problem.hidden = true;
    try {
      await work();
    } catch (error) {
      this.#problem.textContent = error.message;
      this.#problem.hidden = false;
    }
    await this.refresh();
  }

  /** Ask for the listeners again; draws only what changed, so that the focus stays. */
  async refresh() {
    if (this.host.hidden || document.hidden) return;
    let rows;
    try {
      rows = (await api.listeners()) ?? [];
    } catch {
      return; // the banner already says that the playground does not answer
    }
    const shape = JSON.stringify(rows);
    if (shape === this.#shown) return;
    this.#shown = shape;
    const votes = rows.reduce((sum, row) => sum + (row.votes ?? 0), 0);
    this.#summary.textContent = rows.length ? `${rows.length} listening, ${votes} votes so far` : "Nobody yet.";
    this.#reveal.hidden = !rows.length || rows.every((row) => row.revealed);
    this.#remove.hidden = !rows.length;
    const focused = document.activeElement?.dataset?.listener;
    this.#list.replaceChildren(...rows.map((row) => this.#row(row)));
    if (focused) this.#list.querySelector(`[data-listener="${CSS.escape(focused)}"]`)?.focus();
  }

  #row(row) {
    const id = typeof row.user === "object" ? row.user.id : String(row.user);
    const user = this.store.users.get(id) ?? (typeof row.user === "object" ? row.user : { id, username: `Listener ${id}` });
    const hidden = row.hidden === undefined || row.hidden === null || row.revealed === false
      ? h("button", { type: "button", class: "text-button", dataset: { listener: id }, onclick: () => this.#do(() => api.reveal(id)) }, "Reveal taste")
      : h("div", { class: "taste" }, tasteParts(row.hidden));
    return h("li", { class: "herd-row" }, avatar(user), h("div", { class: "herd-main" },
      h("div", { class: "herd-name" }, h("b", {}, displayName(user)), h("span", { class: "votes" }, `${row.votes ?? 0} ${row.votes === 1 ? "vote" : "votes"}`)), hidden));
  }
}

/** A taste in whatever form it comes: a sentence, a list, or names with values. */
function tasteParts(taste) {
  if (typeof taste === "string") return h("p", {}, taste);
  if (Array.isArray(taste)) return taste.map((part) => h("span", { class: "taste-chip" }, typeof part === "object" ? sentence(part) : String(part)));
  if (typeof taste !== "object") return h("p", {}, String(taste));
  return Object.entries(taste).map(([name, value]) => (typeof value === "number" ? meter(name, value) : h("p", {}, h("b", {}, `${plain(name)}: `), sentence(value))));
}

const plain = (name) => name.replace(/_/g, " ");

function sentence(value) {
  if (Array.isArray(value)) return value.map(sentence).join(", ");
  if (value && typeof value === "object") return Object.entries(value).map(([name, inner]) => `${plain(name)} ${sentence(inner)}`).join(", ");
  return typeof value === "number" ? String(Math.round(value * 100) / 100) : String(value);
}

/** A leaning from "much less" to "much more", with the number for those who want it. */
function meter(name, value) {
  const share = Math.max(-1, Math.min(1, value));
  const bar = h("span", { class: share < 0 ? "meter is-less" : "meter" });
  bar.style.setProperty("--share", `${Math.abs(share) * 50}%`);
  return h("div", { class: "meter-line" }, h("span", {}, plain(name)), bar, h("span", { class: "meter-value" }, `${value > 0 ? "+" : ""}${value.toFixed(2)}`));
}
