/** The list of messages: keeps its place while things change, and says when something new came. */

import { announce, h, icon } from "./dom.js";
import { plainText } from "./markdown.js";
import { continues, messageRow } from "./message.js";
import { isAudio } from "./audio.js";
import { compareIds, displayName, isEphemeral } from "./store.js";

const NEAR_BOTTOM = 90;

export class Timeline {
  #host;
  #context;
  #list = h("ol", { class: "messages" });
  #notices = h("div", { class: "notices" });
  #empty = h("div", { class: "empty-slot" });
  #typing = h("p", { class: "typing" });
  #scroller;
  #pill;
  #stuck = true;
  #fresh = 0;

  constructor(host, context) {
    this.#host = host;
    this.#context = context;
    this.#scroller = h("div", { class: "scroller", tabindex: "0", role: "region", "aria-label": "Messages" }, this.#empty, this.#list, this.#notices);
    this.#pill = h("button", { type: "button", class: "pill", hidden: true, onclick: () => this.toBottom({ smooth: true }) });
    host.append(this.#scroller, h("div", { class: "under" }, this.#pill, this.#typing));
    this.#scroller.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    new ResizeObserver(() => this.#stuck && this.toBottom()).observe(this.#list);
    new ResizeObserver(() => this.#stuck && this.toBottom()).observe(this.#scroller);
    this.#follow(context.store);
  }

  #follow(store) {
    store.on("messages", ({ lastSeen }) => this.#fill(lastSeen));
    store.on("channel", () => this.#clear());
    store.on("person", () => this.#clear());
    store.on("older", () => this.#older());
    store.on("message-added", (detail) => this.#added(detail));
    store.on("message-changed", ({ message }) => this.#changed(message));
    store.on("message-removed", ({ channelId }) => channelId === store.channelId && this.#removed());
    store.on("typing channel", () => this.#showTyping());
    store.on("state commands users bot", () => this.#showEmpty());
    store.on("users channels commands", () => this.#redrawNames());
    store.on("notice", (notice) => this.#notice(notice));
    store.on("command-sent", () => this.toBottom()); // its answer comes there
  }

  get atBottom() {
    const box = this.#scroller;
    return box.scrollHeight - box.scrollTop - box.clientHeight < NEAR_BOTTOM;
  }

  toBottom({ smooth = false } = {}) {
    this.#stuck = true;
    this.#scroller.scrollTo({ top: this.#scroller.scrollHeight, behavior: smooth && calm() ? "smooth" : "instant" });
    this.#showPill(0);
  }

  /** Bring a message into view and mark it for a moment. */
  jumpTo(messageId) {
    const row = document.getElementById(`message-${messageId}`);
    if (!row) return;
    row.scrollIntoView({ block: "center", behavior: calm() ? "smooth" : "instant" });
    row.classList.add("is-found");
    setTimeout(() => row.classList.remove("is-found"), 1600);
  }

  #clear() {
    this.#list.replaceChildren();
    this.#notices.replaceChildren();
    this.#empty.replaceChildren();
    this.#showPill(0);
  }

  #fill(lastSeen) {
    const { store } = this.#context;
    const messages = store.list();
    const rows = this.#rows(messages);
    this.#list.replaceChildren(...rows);
    this.#list.setAttribute("aria-label", `Messages in ${store.channel?.name ?? "this channel"}`);
    this.#markNew(messages, lastSeen);
    this.#showEmpty();
    this.toBottom();
    store.markSeen(store.channelId);
  }

  #rows(messages) {
    return messages.map((message, index) => messageRow(message, messages[index - 1], this.#context));
  }

  #markNew(messages, lastSeen) {
    if (!lastSeen) return;
    const first = messages.find((message) => compareIds(message.id, lastSeen) > 0);
    const row = first && document.getElementById(`message-${first.id}`);
    if (row && first !== messages[0]) row.classList.add("is-first-new");
  }

  #older() {
    const box = this.#scroller;
    const fromBottom = box.scrollHeight - box.scrollTop;
    this.#list.replaceChildren(...this.#rows(this.#context.store.list()));
    box.scrollTop = box.scrollHeight - fromBottom;
  }

  #added({ message, newest }) {
    const { store } = this.#context;
    if (message.channel_id !== store.channelId) return;
    const stuck = this.#stuck || message.author?.id === store.me;
    if (newest) this.#list.append(messageRow(message, store.list().at(-2), this.#context));
    else this.#list.replaceChildren(...this.#rows(store.list()));
    this.#showEmpty();
    if (stuck) this.toBottom();
    else this.#showPill(this.#fresh + 1, isEphemeral(message));
    if (document.hasFocus() && stuck) store.markSeen(store.channelId);
    this.#speak(message);
  }

  #speak(message) {
    const clips = (message.attachments ?? []).filter(isAudio).length;
    const words = plainText(message.content ?? "", this.#context.names).slice(0, 160);
    announce(`${displayName(message.author)}: ${words}${clips ? ` ${clips} clips` : ""}`);
  }

  #changed(message) {
    const row = document.getElementById(`message-${message.id}`);
    if (!row || message.channel_id !== this.#context.store.channelId) return;
    const list = this.#context.store.list();
    const index = list.indexOf(message);
    const focus = focusKey(row);
    const fresh = messageRow(message, list[index - 1], { ...this.#context, old: row });
    fresh.classList.toggle("is-first-new", row.classList.contains("is-first-new"));
    row.replaceWith(fresh);
    if (focus) restoreFocus(fresh, focus);
    const next = list[index + 1];
    const nextRow = next && document.getElementById(`message-${next.id}`);
    if (nextRow && nextRow.classList.contains("is-grouped") !== continues(next, message)) {
      nextRow.replaceWith(messageRow(next, message, { ...this.#context, old: nextRow }));
    }
  }

  #removed() {
    const messages = this.#context.store.list();
    const wanted = new Set(messages.map((message) => message.id));
    for (const row of [...this.#list.children]) {
      if (wanted.has(row.dataset.id)) continue;
      if (row.contains(document.activeElement)) this.#scroller.focus({ preventScroll: true });
      row.remove();
    }
    messages.forEach((message, index) => {
      const row = document.getElementById(`message-${message.id}`);
      if (row && row.classList.contains("is-grouped") !== continues(message, messages[index - 1])) {
        row.replaceWith(messageRow(message, messages[index - 1], { ...this.#context, old: row }));
      }
    });
    this.#showEmpty();
  }

  #redrawNames() {
    for (const message of this.#context.store.list()) {
      if (/<[@#]/.test(message.content ?? "")) this.#changed(message);
    }
  }

  #scrolled() {
    this.#stuck = this.atBottom;
    if (this.#stuck) {
      this.#showPill(0);
      this.#context.store.markSeen(this.#context.store.channelId);
    }
    if (this.#scroller.scrollTop < 120) this.#context.store.loadOlder();
  }

  #showPill(count, answered = false) {
    this.#fresh = count;
    this.#pill.hidden = !count;
    const news = count === 1 ? "1 new message" : `${count} new messages`;
    this.#pill.replaceChildren(icon("down"), answered ? "The bot answered you" : news);
  }

  #showTyping() {
    const { store } = this.#context;
    const names = [...store.typing.values()].filter((entry) => entry.channelId === store.channelId).map((entry) => displayName(store.users.get(entry.userId)));
    this.#typing.textContent = names.length ? `${names.join(", ")} ${names.length === 1 ? "is" : "are"} typing…` : "";
  }

  #showEmpty() {
    const { store, actions } = this.#context;
    const bare = store.connected && store.messages.has(store.channelId) && !store.list().length;
    this.#empty.replaceChildren(...(bare ? [emptyState(store, actions)] : []));
  }

  #notice({ channelId, text }) {
    if (channelId !== this.#context.store.channelId) return;
    const line = h("p", { class: "notice", role: "alert" }, h("span", {}, text),
      h("button", { type: "button", class: "text-button", onclick: () => line.remove() }, "Dismiss"));
    this.#notices.append(line);
    this.toBottom();
  }
}

const calm = () => !matchMedia("(prefers-reduced-motion: reduce)").matches;

/** Which control of a row has the focus, so that the redrawn row can give it back. */
function focusKey(row) {
  const active = document.activeElement;
  if (!row.contains(active)) return null;
  const kept = active.closest(".clip");
  return { control: active.closest("[data-control]")?.dataset.control, node: kept ? active : null };
}

function restoreFocus(row, { control, node }) {
  if (node?.isConnected) {
    node.focus({ preventScroll: true });
    return;
  }
  const target = [...row.querySelectorAll("[data-control]")].find((item) => item.dataset.control === control && !item.disabled);
  (target ?? row.querySelector(".row button:not(:disabled), .message-tools button"))?.focus({ preventScroll: true });
}

/** What a newcomer sees in a channel without messages. */
function emptyState(store, actions) {
  const { channel } = store;
  const startable = actions.canStart();
  const words = channel?.type === 0
    ? "Four short clips arrive. You rate them with the buttons. The next four are bred from what people liked."
    : "Nothing here yet. Write something, or type / to see what the bot can do.";
  const start = h("button", { type: "button", class: "button button-primary button-big", disabled: !startable, onclick: () => actions.start() }, icon("play"), "Start evolving");
  const herd = h("button", { type: "button", class: "button button-secondary button-big", onclick: (event) => actions.addListeners(3, event.currentTarget) }, icon("people"), "Add 3 synthetic listeners");
  return h("section", { class: "empty" },
    h("img", { src: "static/icon.svg", alt: "", width: "72", height: "72" }),
    h("h2", {}, channel?.type === 1 ? "Just you and the bot" : `This is the start of #${channel?.name ?? ""}`),
    h("p", {}, words),
    channel?.type === 0 ? h("div", { class: "empty-buttons" }, start, herd) : null,
    channel?.type === 0 && !startable ? h("p", { class: "hint" }, actions.whyNotStart()) : null);
}
