/** What frames the messages: the channel list, the top bar, the theme and the choice of person. */

import { api } from "./api.js";
import { h, icon, iconButton } from "./dom.js";
import { avatar } from "./message.js";
import { showMenu } from "./popover.js";
import { displayName } from "./store.js";

const DM = 1;
const THREADS = new Set([10, 11, 12]);
const PRIVATE_THREAD = 12;
const THEMES = { auto: "System", light: "Light", dark: "Dark" };

/** The channel list. */
export class Rail {
  constructor(host, { store, actions }) {
    this.store = store;
    this.actions = actions;
    this.host = host;
    store.on("state channels unread channel users", () => this.#draw());
  }

  #draw() {
    const { store } = this;
    const all = [...store.channels.values()];
    const threadsOf = (id) => all.filter((channel) => THREADS.has(channel.type) && channel.parent_id === id);
    const texts = all.filter((channel) => channel.type === 0);
    const dms = all.filter((channel) => channel.type === DM);
    const focused = document.activeElement?.dataset?.channel;
    this.host.replaceChildren(
      h("div", { class: "brand" }, h("img", { src: "static/icon.svg", alt: "", width: "32", height: "32" }),
        h("div", { class: "brand-text" }, h("b", {}, "Tunebreeder"), h("small", {}, store.guild.name || "Playground")),
        iconButton("close", "Close the channel list", () => this.actions.closeDrawers(), { class: "icon-button only-small" })),
      h("h2", { class: "rail-heading" }, "Channels"),
      h("ul", { class: "rail-list" }, texts.map((channel) => h("li", {}, this.#link(channel),
        threadsOf(channel.id).length ? h("ul", { class: "rail-threads" }, threadsOf(channel.id).map((thread) => h("li", {}, this.#link(thread)))) : null))),
      h("h2", { class: "rail-heading" }, "Direct messages"),
      h("ul", { class: "rail-list" }, dms.map((channel) => h("li", {}, this.#link(channel))),
        dms.length ? null : h("li", {}, h("button", { type: "button", class: "rail-link", onclick: () => this.#openDm() }, icon("reply"), h("span", { class: "rail-name" }, "Write to the bot")))),
      h("h2", { class: "rail-heading" }, "Workshop"),
      h("ul", { class: "rail-list" }, h("li", {}, h("a", { class: "rail-link", href: "/studio" }, icon("eye"), h("span", { class: "rail-name" }, "Studio"), h("small", {}, "sliders")))));
    if (focused) this.host.querySelector(`[data-channel="${CSS.escape(focused)}"]`)?.focus();
  }

  #link(channel) {
    const here = channel.id === this.store.channelId;
    const count = here ? 0 : this.store.unread.get(channel.id) ?? 0;
    const sign = channel.type === DM ? avatar(this.store.bot, "avatar avatar-small") : THREADS.has(channel.type) ? icon("thread") : h("span", { class: "hash", "aria-hidden": "true" }, "#");
    return h("button", {
      type: "button", class: count ? "rail-link is-unread" : "rail-link", dataset: { channel: channel.id }, "aria-current": here ? "page" : null,
      onclick: () => this.actions.openChannel(channel.id),
    }, sign, h("span", { class: "rail-name" }, this.actions.channelTitle(channel)),
    channel.type === PRIVATE_THREAD ? h("small", {}, "private") : null,
    count ? h("span", { class: "count" }, String(count), h("span", { class: "sr-only" }, " unread")) : null);
  }

  async #openDm() {
    try {
      const channel = await api.dm(this.store.me);
      this.store.onChannel(channel);
      this.actions.openChannel(channel.id);
    } catch (error) {
      this.store.emit("problem", error.message);
    }
  }
}

/** The bar above the messages. */
export class TopBar {
  #title = h("h1", { class: "title" });
  #status = h("span", { class: "status", role: "status" });
  #person;
  #theme;

  constructor(host, { store, actions }) {
    this.store = store;
    this.actions = actions;
    this.#person = h("button", { type: "button", class: "person", "aria-haspopup": "menu", "aria-expanded": "false", onclick: () => this.#choosePerson() });
    this.#theme = iconButton("moon", "Colours", () => this.#chooseTheme(), { "aria-haspopup": "menu" });
    host.append(
      iconButton("menu", "Channels", () => actions.toggleRail(), { class: "icon-button only-small", id: "rail-toggle" }),
      h("div", { class: "topbar-text" }, this.#title, this.#status),
      iconButton("people", "Synthetic listeners", () => actions.toggleListeners(), { id: "listeners-toggle", "aria-expanded": "false" }),
      this.#theme, this.#person);
    store.on("state channel channels", () => this.#drawTitle());
    store.on("state bot connection", () => this.#drawStatus());
    store.on("state users person", () => this.#drawPerson());
    this.#drawTheme();
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#drawTheme());
  }

  #drawTitle() {
    const { channel } = this.store;
    const name = channel ? this.actions.channelTitle(channel) : "";
    const hash = channel?.type === 0 ? h("span", { class: "hash", "aria-hidden": "true" }, "#") : channel ? icon(channel.type === DM ? "reply" : "thread") : null;
    this.#title.replaceChildren(...[hash, h("span", {}, name)].filter(Boolean));
    document.title = name ? `${name} · Tunebreeder playground` : "Tunebreeder playground";
  }

  #drawStatus() {
    const { botOnline, connected } = this.store;
    this.#status.className = `status ${connected && botOnline ? "is-on" : "is-off"}`;
    this.#status.textContent = !connected ? "Connecting…" : botOnline ? "Bot is here" : "Bot is starting or away";
  }

  #drawPerson() {
    const { self } = this.store;
    if (!self) return;
    const role = self.moderator ? "moderator" : self.synthetic ? "synthetic" : "member";
    this.#person.replaceChildren(avatar(self, "avatar avatar-small"),
      h("span", { class: "person-text" }, h("span", { class: "person-you" }, "You are: "), h("b", {}, displayName(self)), h("span", { class: "person-role" }, ` (${role})`)), icon("down"));
    this.#person.setAttribute("aria-label", `You are: ${displayName(self)} (${role}). Switch person`);
  }

  #choosePerson() {
    const { store, actions } = this;
    const entry = (user) => ({
      label: displayName(user), note: user.moderator ? "moderator" : "", checked: user.id === store.me, before: avatar(user, "avatar avatar-small"), run: () => actions.become(user.id),
    });
    const people = [...store.users.values()].filter((user) => !user.bot);
    const synthetic = people.filter((user) => user.synthetic);
    showMenu(this.#person, [{ heading: "Be somebody else" }, ...people.filter((user) => !user.synthetic).map(entry),
      ...(synthetic.length ? [{ heading: "Synthetic listeners" }, ...synthetic.map(entry)] : [])], "Switch person");
  }

  #drawTheme() {
    const dark = document.documentElement.dataset.theme === "dark" || (!document.documentElement.dataset.theme && matchMedia("(prefers-color-scheme: dark)").matches);
    this.#theme.replaceChildren(icon(dark ? "moon" : "sun"));
  }

  #chooseTheme() {
    const now = document.documentElement.dataset.theme ?? "auto";
    showMenu(this.#theme, Object.entries(THEMES).map(([name, label]) => ({ label, checked: name === now, run: () => {
      setTheme(name);
      this.#drawTheme();
    } })), "Colours");
  }
}

/** Use the light, dark or system ("auto") colours from now on. */
export function setTheme(name) {
  if (name === "light" || name === "dark") {
    document.documentElement.dataset.theme = name;
    localStorage.setItem("tb:theme", name);
  } else {
    delete document.documentElement.dataset.theme;
    localStorage.removeItem("tb:theme");
  }
}
