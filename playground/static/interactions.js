/**
 * What a person asks of the bot: presses, selections, commands and forms.
 *
 * Each carries a nonce. It is pending from the press until the server says done or failed; a server
 * that says nothing (it was restarted, the line dropped) counts as failed after a while.
 */

import { api } from "./api.js";
import { announce } from "./dom.js";

const GIVE_UP_SECONDS = 20;
const FAILED = "This interaction failed.";

export class Interactions {
  #pending = new Map();
  #failures = new Map();

  constructor(store) {
    this.store = store;
    store.on("INTERACTION_DONE", ({ nonce }) => this.#finish(nonce));
    store.on("INTERACTION_FAILED", ({ nonce, message }) => this.#finish(nonce, message || FAILED));
    store.on("person", () => this.#forget());
  }

  /** Whether this control of this message waits for its answer. */
  isPending(messageId, customId) {
    return [...this.#pending.values()].some((entry) => entry.messageId === messageId && entry.customId === customId);
  }

  /** The sentence to show beneath a message whose control failed, or undefined. */
  failure(messageId) {
    return this.#failures.get(messageId);
  }

  /** Press a button, or choose `values` in a select. */
  async press(message, customId, values) {
    if (this.isPending(message.id, customId)) return;
    this.#failures.delete(message.id);
    const nonce = this.#begin({ messageId: message.id, customId, channelId: message.channel_id });
    this.#redraw(message.id, message.channel_id);
    await this.#deliver(nonce, (base) =>
      api.click({ ...base, message: message.id, custom_id: customId, ...(values ? { values } : {}) }));
  }

  /** Run a slash or context-menu command: {name, path, options, type?, target?}. */
  async command(request, files) {
    const nonce = this.#begin({ channelId: this.store.channelId, command: [request.name, ...request.path].join(" ") });
    this.store.emit("command-sent");
    this.store.emit("command-pending");
    await this.#deliver(nonce, (base) => api.command({ ...base, ...request }, files));
  }

  /** Send a form; resolves to null, or to the sentence that says what was wrong. */
  submit(modal, values, files) {
    return new Promise((resolve) => {
      const nonce = this.#begin({ channelId: modal.channelId, resolve });
      this.#deliver(nonce, (base) =>
        api.modal({ ...base, modal: modal.id, custom_id: modal.custom_id, values }, files));
    });
  }

  /** The commands that wait for an answer in this channel. */
  waiting(channelId) {
    return [...this.#pending.values()].filter((entry) => entry.command && entry.channelId === channelId);
  }

  #begin(entry) {
    const nonce = `${Date.now()}${Math.floor(Math.random() * 1e6)}`;
    const timer = setTimeout(() => this.#finish(nonce, FAILED), GIVE_UP_SECONDS * 1000);
    this.#pending.set(nonce, { ...entry, timer });
    return nonce;
  }

  async #deliver(nonce, request) {
    const { channelId } = this.#pending.get(nonce);
    try {
      await request({ user: this.store.me, channel: channelId, nonce });
    } catch (error) {
      this.#finish(nonce, error.message);
    }
  }

  #finish(nonce, failure = null) {
    const entry = this.#pending.get(nonce);
    if (!entry) return;
    clearTimeout(entry.timer);
    this.#pending.delete(nonce);
    if (failure) announce(failure);
    if (entry.resolve) entry.resolve(failure);
    if (entry.command) {
      this.store.emit("command-pending");
      if (failure) this.store.emit("notice", { channelId: entry.channelId, text: `/${entry.command}: ${failure}` });
    }
    if (entry.messageId) {
      if (failure) this.#failures.set(entry.messageId, failure);
      this.#redraw(entry.messageId, entry.channelId);
    }
  }

  #redraw(messageId, channelId) {
    const message = this.store.find(channelId, messageId);
    if (message) this.store.emit("message-changed", { message });
  }

  #forget() {
    for (const entry of this.#pending.values()) clearTimeout(entry.timer);
    this.#pending.clear();
    this.#failures.clear();
    this.store.emit("command-pending");
  }
}
