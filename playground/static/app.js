/** Puts the page together: one store, the views that follow it, and the actions they share. */

import { api } from "./api.js";
import { connectPlayers, nowPlaying, Speaker } from "./audio.js";
import { COMMAND, flatten, isAllowed, ofType } from "./commands.js";
import { Composer } from "./composer.js";
import { announce } from "./dom.js";
import { pickEmoji } from "./emoji.js";
import { Interactions } from "./interactions.js";
import { ListenersPanel } from "./listeners.js";
import { refreshTimes } from "./markdown.js";
import { Modals } from "./modal.js";
import { askText, showMenu } from "./popover.js";
import { Rail, setTheme, TopBar } from "./rail.js";
import { displayName, emojiKey, isEphemeral, Store } from "./store.js";
import { Timeline } from "./timeline.js";

const RELATIVE_MS = 15000;
const PROBLEM_MS = 8000;
const byId = (id) => document.getElementById(id);

setTheme(new URLSearchParams(location.search).get("theme") ?? localStorage.getItem("tb:theme") ?? "auto");

const store = new Store();
const interactions = new Interactions(store);
const speaker = new Speaker(byId("speaker"));
const names = {
  user: (id) => (store.users.has(id) ? displayName(store.users.get(id)) : null),
  channel: (id) => store.channels.get(id)?.name ?? null,
};

/** What several views can ask for. */
const actions = {
  channelTitle: (channel) => (channel.type === 1 ? displayName(store.bot ?? channel.recipients?.[0]) : channel.name),
  openChannel(id) {
    actions.closeDrawers();
    if (store.channels.has(id)) store.open(id);
  },
  become(id) {
    speaker.stop();
    localStorage.setItem("tb:person", id);
    store.become(id);
  },
  jumpTo: (id) => timeline.jumpTo(id),
  dismiss: (message) => store.dismiss(message),
  async toggleReaction(message, entry) {
    await tried((entry.me ? api.unreact : api.react)({ user: store.me, channel: message.channel_id, message: message.id, emoji: emojiKey(entry.emoji) }));
  },
  addReaction(message, anchor) {
    pickEmoji(anchor, (emoji) => tried(api.react({ user: store.me, channel: message.channel_id, message: message.id, emoji })));
  },
  messageMenu(anchor, message) {
    showMenu(anchor, messageEntries(message, anchor), "Message");
  },
  personMenu(anchor, user) {
    const apps = ofType(store.commands, COMMAND.USER);
    showMenu(anchor, [
      ...(user.bot || user.id === store.me ? [] : [{ label: `Be ${displayName(user)}`, run: () => actions.become(user.id) }]),
      { label: "Mention", run: () => composer.startWith(`@${displayName(user)} `) },
      { label: "Copy id", run: () => copy(user.id) },
      ...appEntries(apps, user.id),
    ], displayName(user));
  },
  startCommand: () => flatten(store.commands).find((entry) => entry.words === "evolve start"),
  canStart() {
    const entry = actions.startCommand();
    return Boolean(entry && store.botOnline && isAllowed(entry.command, store.self));
  },
  whyNotStart() {
    const entry = actions.startCommand();
    if (!entry || !store.botOnline) return "The bot is still starting. This takes a moment.";
    return "Only a moderator can start here. Switch to one at the top right.";
  },
  start() {
    const { name, path } = actions.startCommand();
    interactions.command({ name, path, options: [] });
  },
  async addListeners(count, button) {
    button.disabled = true;
    await tried(api.addListeners(count, Math.floor(Math.random() * 1e6)));
    button.disabled = false;
    actions.toggleListeners(true);
  },
  toggleRail(open = !byId("rail").classList.contains("is-open")) {
    byId("rail").classList.toggle("is-open", open);
    scrim();
    if (open) byId("rail").querySelector('[aria-current="page"]')?.focus();
  },
  toggleListeners(open = byId("listeners").hidden) {
    if (open) panel.show();
    else panel.hide();
    byId("listeners-toggle").setAttribute("aria-expanded", String(open));
    byId("app").classList.toggle("has-drawer", open);
    scrim();
  },
  closeDrawers() {
    const inside = byId("rail").contains(document.activeElement) || byId("listeners").contains(document.activeElement);
    const opener = byId("rail").classList.contains("is-open") ? byId("rail-toggle") : byId("listeners-toggle");
    byId("rail").classList.remove("is-open");
    if (small()) actions.toggleListeners(false);
    scrim();
    if (small() && inside) opener.focus();
  },
};

const small = () => matchMedia("(max-width: 820px)").matches;

function scrim() {
  const covered = small() && (byId("rail").classList.contains("is-open") || !byId("listeners").hidden);
  byId("scrim").hidden = !covered;
  document.querySelector(".main").inert = covered;
}

function messageEntries(message, anchor) {
  const own = isEphemeral(message);
  const entries = [
    { label: "Reply", run: () => composer.replyTo(message), skip: own },
    { label: "Add a reaction", run: () => actions.addReaction(message, anchor), skip: own },
    { label: "Start a thread", run: () => startThread(message, anchor), skip: own || store.channel?.type !== 0 || store.channels.has(message.id) },
    { label: "Copy text", run: () => copy(message.content ?? ""), skip: !message.content },
    { label: "Copy id", run: () => copy(message.id) },
    { label: "Dismiss", run: () => store.dismiss(message), skip: !own },
    { label: "Delete", run: () => tried(api.remove({ user: store.me, channel: message.channel_id, message: message.id })), skip: own || !(store.self?.moderator || message.author?.id === store.me) },
  ].filter((entry) => !entry.skip);
  return own ? entries : [...entries, ...appEntries(ofType(store.commands, COMMAND.MESSAGE), message.id)];
}

function startThread(message, anchor) {
  askText(anchor, { label: "Name of the thread", button: "Start", longest: 100 }, async (name) => {
    const thread = await tried(api.startThread({ user: store.me, channel: message.channel_id, message: message.id, name }));
    if (!thread) return;
    store.onChannel(thread);
    actions.openChannel(thread.id);
  });
}

function appEntries(commands, target) {
  if (!commands.length) return [];
  return [{ separator: true }, { heading: "Apps" }, ...commands.map((command) => ({
    label: command.name, note: isAllowed(command, store.self) ? "" : "moderators only",
    run: () => interactions.command({ name: command.name, path: [], options: [], type: command.type, target }),
  }))];
}

async function tried(promise) {
  try {
    return await promise;
  } catch (error) {
    store.emit("notice", { channelId: store.channelId, text: error.message });
    return null;
  }
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    announce("Copied");
  } catch {
    store.emit("notice", { channelId: store.channelId, text: `Copying is not allowed here. It is: ${text}` });
  }
}

const context = { store, speaker, interactions, names, actions };
new Rail(byId("rail"), context);
new TopBar(byId("topbar"), context);
const timeline = new Timeline(byId("timeline"), context);
const composer = new Composer(byId("composer"), context);
const panel = new ListenersPanel(byId("listeners"), context);
new Modals(context);
nowPlaying(byId("nowplaying"), speaker, actions);
connectPlayers(speaker);

function banner(text) {
  byId("banner").hidden = !text;
  byId("banner").textContent = text ?? "";
}

store.on("connection", () => banner(store.connected ? null : "Lost the playground. Trying again…"));
store.on("connection", () => store.connected || checkStillThere());
store.on("users", () => store.self || begin());
store.on("problem", (text) => {
  banner(text);
  setTimeout(() => store.connected && banner(null), PROBLEM_MS);
});
store.on("channel", () => rememberPlace());
byId("scrim").addEventListener("click", () => actions.closeDrawers());
document.addEventListener("click", (event) => {
  const link = event.target.closest?.("[data-open-channel]");
  if (link) actions.openChannel(link.dataset.openChannel);
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !event.defaultPrevented && !byId("scrim").hidden) actions.closeDrawers();
});
window.addEventListener("resize", scrim);
window.addEventListener("focus", () => timeline.atBottom && store.markSeen(store.channelId));
setInterval(refreshTimes, RELATIVE_MS);

/** The person may have left (a synthetic listener who was removed): then be somebody else. */
async function checkStillThere() {
  const { me } = store;
  try {
    const { users } = await api.state(me);
    if (me === store.me && !users.some((user) => user.id === me)) begin();
  } catch {
    // the server itself is away; the live connection keeps trying
  }
}

function rememberPlace() {
  const url = new URL(location.href);
  url.searchParams.set("user", store.me);
  url.searchParams.set("channel", store.channelId);
  history.replaceState(null, "", url);
}

/** Find out who there is to be, then be the one asked for, the last one, or a moderator. */
async function begin() {
  const asked = new URLSearchParams(location.search);
  store.channelId = asked.get("channel");
  try {
    const { users } = await api.state(asked.get("user") ?? localStorage.getItem("tb:person"));
    const people = users.filter((user) => !user.bot);
    const wanted = [asked.get("user"), localStorage.getItem("tb:person")].find((id) => people.some((user) => user.id === id));
    store.become(wanted ?? (people.find((user) => user.moderator) ?? people[0]).id);
    banner(null);
  } catch (error) {
    banner(`${error.message} Trying again…`);
    setTimeout(begin, 1500);
  }
}

begin();
