/**
 * What one chosen person sees: people, channels, messages, and what is under way.
 *
 * The server's events are folded into this state, and each change is announced as a DOM event, so
 * that the views never talk to one another. Nothing here touches the document.
 */

import { api, Live } from "./api.js";

const EPHEMERAL = 64;
const TYPING_SECONDS = 10;
const RETRY_MS = 2000;

/** Order two ids (decimal strings of any length) by age. */
export function compareIds(left, right) {
  return left.length - right.length || (left < right ? -1 : Number(left > right));
}

/** Whether only this person sees the message. */
export const isEphemeral = (message) => Boolean((message.flags ?? 0) & EPHEMERAL);

/** How an emoji is written in addresses and compared: `name:id` when custom, else the character. */
export const emojiKey = (emoji) => (emoji.id ? `${emoji.name}:${emoji.id}` : emoji.name);

/** The name to show for a person. */
export const displayName = (user) => user?.global_name || user?.username || "Someone";

export class Store extends EventTarget {
  me = null;
  users = new Map();
  guild = { id: "", name: "" };
  channels = new Map();
  commands = [];
  botOnline = false;
  connected = false;
  channelId = null;
  messages = new Map();
  complete = new Set();
  unread = new Map();
  typing = new Map();
  #epoch = 0;
  #loading = new Map();
  #live = new Live({
    onEvent: (kind, data) => this.#receive(kind, data),
    onOpen: () => this.#opened(),
    onDown: () => this.#down(),
  });

  emit(name, detail = null) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }

  on(names, listener) {
    for (const name of names.split(" ")) this.addEventListener(name, (event) => listener(event.detail));
  }

  get self() {
    return this.users.get(this.me);
  }

  get channel() {
    return this.channels.get(this.channelId);
  }

  get bot() {
    return [...this.users.values()].find((user) => user.bot);
  }

  /** The messages of a channel, oldest first, without those that were dismissed. */
  list(channelId = this.channelId) {
    return this.messages.get(channelId) ?? [];
  }

  find(channelId, messageId) {
    return this.list(channelId).find((message) => message.id === messageId);
  }

  /** Look at the channel through the eyes of `userId`. */
  become(userId) {
    this.#epoch += 1;
    this.me = userId;
    this.messages.clear();
    this.complete.clear();
    this.typing.clear();
    this.unread = new Map();
    this.connected = false;
    this.emit("person");
    this.#live.open(userId);
  }

  async #opened() {
    const epoch = this.#epoch;
    try {
      await this.#sync(epoch);
    } catch (error) {
      if (epoch !== this.#epoch) return;
      this.emit("problem", error.message);
      setTimeout(() => epoch === this.#epoch && this.#live.open(this.me), RETRY_MS);
    }
  }

  #down() {
    this.connected = false;
    this.emit("connection");
  }

  async #sync(epoch) {
    const state = await api.state(this.me);
    if (epoch !== this.#epoch) return;
    this.users = new Map(state.users.map((user) => [user.id, user]));
    this.guild = state.guild;
    this.channels = new Map(state.channels.map((channel) => [channel.id, channel]));
    this.commands = state.commands ?? [];
    this.botOnline = Boolean(state.bot_online);
    this.connected = true;
    this.messages.clear();
    this.complete.clear();
    this.#countUnread();
    this.emit("state");
    this.emit("connection");
    const wanted = this.channels.has(this.channelId) ? this.channelId : this.#firstChannel();
    if (wanted) await this.open(wanted);
  }

  #firstChannel() {
    const [first] = [...this.channels.values()].filter((channel) => channel.type === 0);
    return first?.id ?? this.channels.keys().next().value;
  }

  #countUnread() {
    this.unread = new Map();
    for (const channel of this.channels.values()) {
      const seen = this.#seen(channel.id);
      if (seen && channel.last_message_id && compareIds(channel.last_message_id, seen) > 0) this.unread.set(channel.id, 1);
    }
  }

  #seenKey(channelId) {
    return `tb:seen:${this.me}:${channelId}`;
  }

  #seen(channelId) {
    return localStorage.getItem(this.#seenKey(channelId));
  }

  /** The newest message this person has seen there, before what is unread now. */
  markSeen(channelId) {
    const newest = this.list(channelId).at(-1);
    if (newest) localStorage.setItem(this.#seenKey(channelId), newest.id);
    if (this.unread.delete(channelId)) this.emit("unread");
  }

  /** Show a channel, fetching its messages when they are not known yet. */
  async open(channelId) {
    const lastSeen = this.#seen(channelId);
    this.channelId = channelId;
    this.emit("channel", { lastSeen });
    if (this.messages.has(channelId)) this.emit("messages", { lastSeen });
    else await this.load(channelId, { lastSeen });
  }

  async load(channelId, { lastSeen = null } = {}) {
    const epoch = this.#epoch;
    const loading = { again: false };
    this.#loading.set(channelId, loading);
    let found;
    try {
      found = await api.messages(this.me, channelId);
    } catch (error) {
      if (epoch === this.#epoch) this.emit("problem", error.message);
      return;
    } finally {
      if (this.#loading.get(channelId) === loading) this.#loading.delete(channelId);
    }
    if (epoch !== this.#epoch) return;
    this.messages.set(channelId, this.#kept(found));
    if (found.length < 50) this.complete.add(channelId);
    if (channelId === this.channelId) this.emit("messages", { lastSeen });
    if (loading.again) await this.load(channelId, { lastSeen });
  }

  async loadOlder() {
    const channelId = this.channelId;
    const [oldest] = this.list(channelId);
    if (!oldest || this.complete.has(channelId) || this.#loading.has(channelId)) return;
    const epoch = this.#epoch;
    this.#loading.set(channelId, { again: false });
    try {
      const older = await api.messages(this.me, channelId, { before: oldest.id });
      if (epoch !== this.#epoch) return;
      if (older.length < 50) this.complete.add(channelId);
      if (!older.length) return;
      this.messages.set(channelId, [...this.#kept(older), ...this.list(channelId)]);
      if (channelId === this.channelId) this.emit("older");
    } catch (error) {
      this.emit("problem", error.message);
    } finally {
      this.#loading.delete(channelId);
    }
  }

  #kept(messages) {
    return messages.filter((message) => !sessionStorage.getItem(`tb:gone:${this.me}:${message.id}`));
  }

  /** Hide an ephemeral message from this person for good. */
  dismiss(message) {
    sessionStorage.setItem(`tb:gone:${this.me}:${message.id}`, "1");
    this.#remove(message.channel_id, message.id);
  }

  #remove(channelId, messageId) {
    const list = this.list(channelId);
    const at = list.findIndex((message) => message.id === messageId);
    if (at < 0) return;
    list.splice(at, 1);
    this.emit("message-removed", { channelId, messageId });
    for (const message of list) {
      if (message.message_reference?.message_id !== messageId) continue;
      message.referenced_message = null;
      this.emit("message-changed", { message });
    }
  }

  #receive(kind, data) {
    const [name, handler] = HANDLERS.get(kind) ?? [];
    if (handler) this[handler](data, name);
    else this.emit(kind, data);
  }

  onMessageCreate(message) {
    this.typing.delete(`${message.channel_id}:${message.author?.id}`);
    this.emit("typing");
    const channel = this.channels.get(message.channel_id);
    if (channel) channel.last_message_id = message.id;
    if (message.channel_id !== this.channelId) {
      this.unread.set(message.channel_id, (this.unread.get(message.channel_id) ?? 0) + 1);
      this.emit("unread");
    }
    this.#again(message.channel_id);
    const list = this.messages.get(message.channel_id);
    if (!list) return;
    if (list.some((known) => known.id === message.id)) {
      this.onMessageUpdate(message);
      return;
    }
    const newest = !list.length || compareIds(list.at(-1).id, message.id) < 0;
    list.push(message);
    if (!newest) list.sort((left, right) => compareIds(left.id, right.id));
    this.emit("message-added", { message, newest });
  }

  onMessageUpdate(change) {
    const known = this.find(change.channel_id, change.id);
    this.#again(change.channel_id);
    if (!known) return;
    Object.assign(known, change);
    this.emit("message-changed", { message: known });
  }

  onMessageDelete(data) {
    this.#again(data.channel_id);
    this.#remove(data.channel_id, data.id);
  }

  onReaction(data, name) {
    this.#again(data.channel_id);
    const message = this.find(data.channel_id, data.message_id);
    if (!message) return;
    message.reactions = foldReaction(message.reactions ?? [], data, name, this.me);
    this.emit("message-changed", { message });
  }

  /** A message list that is being fetched may already contain this change or not: fetch once more. */
  #again(channelId) {
    const loading = this.#loading.get(channelId);
    if (loading) loading.again = true;
  }

  onChannel(channel) {
    this.channels.set(channel.id, { ...this.channels.get(channel.id), ...channel });
    this.emit("channels");
    const parent = this.find(channel.parent_id, channel.id);
    if (parent) this.emit("message-changed", { message: parent });
  }

  async onChannelDelete(channel) {
    this.channels.delete(channel.id);
    this.messages.delete(channel.id);
    this.emit("channels");
    if (channel.id === this.channelId) await this.open(channel.parent_id ?? this.#firstChannel());
  }

  onTyping(data) {
    const key = `${data.channel_id}:${data.user_id}`;
    clearTimeout(this.typing.get(key)?.timer);
    const timer = setTimeout(() => {
      this.typing.delete(key);
      this.emit("typing");
    }, TYPING_SECONDS * 1000);
    this.typing.set(key, { channelId: data.channel_id, userId: data.user_id, timer });
    this.emit("typing");
  }

  async onLookAgain(data, name) {
    if (data?.users) {
      this.users = new Map(data.users.map((user) => [user.id, user]));
      this.emit(name);
      return;
    } // the commands are asked for: the event leaves out those that are shown greyed
    const epoch = this.#epoch;
    try {
      const state = await api.state(this.me);
      if (epoch !== this.#epoch) return;
      this.users = new Map(state.users.map((user) => [user.id, user]));
      this.commands = state.commands ?? [];
    } catch (error) {
      this.emit("problem", error.message);
    }
    this.emit(name);
  }

  onBot(data) {
    this.botOnline = Boolean(data.online);
    this.emit("bot");
  }
}

/** The reactions of a message after one event; `me` marks the person's own. */
export function foldReaction(reactions, data, name, me) {
  if (name === "clear") return [];
  const key = emojiKey(data.emoji);
  const others = reactions.filter((entry) => emojiKey(entry.emoji) !== key);
  if (name === "clear-emoji") return others;
  const known = reactions.find((entry) => emojiKey(entry.emoji) === key) ?? { emoji: data.emoji, count: 0, me: false };
  const own = data.user_id === me;
  const added = name === "add";
  if (own && known.me === added) return reactions;
  const entry = { ...known, count: known.count + (added ? 1 : -1), me: own ? added : known.me };
  if (!reactions.some((item) => emojiKey(item.emoji) === key)) return added ? [...reactions, entry] : reactions;
  return reactions.map((item) => (emojiKey(item.emoji) === key ? entry : item)).filter((item) => item.count > 0);
}

const HANDLERS = new Map([
  ["MESSAGE_CREATE", ["", "onMessageCreate"]],
  ["MESSAGE_UPDATE", ["", "onMessageUpdate"]],
  ["MESSAGE_DELETE", ["", "onMessageDelete"]],
  ["MESSAGE_REACTION_ADD", ["add", "onReaction"]],
  ["MESSAGE_REACTION_REMOVE", ["remove", "onReaction"]],
  ["MESSAGE_REACTION_REMOVE_ALL", ["clear", "onReaction"]],
  ["MESSAGE_REACTION_REMOVE_EMOJI", ["clear-emoji", "onReaction"]],
  ["CHANNEL_CREATE", ["", "onChannel"]],
  ["CHANNEL_UPDATE", ["", "onChannel"]],
  ["THREAD_CREATE", ["", "onChannel"]],
  ["THREAD_UPDATE", ["", "onChannel"]],
  ["CHANNEL_DELETE", ["", "onChannelDelete"]],
  ["THREAD_DELETE", ["", "onChannelDelete"]],
  ["TYPING_START", ["", "onTyping"]],
  ["COMMANDS_UPDATE", ["commands", "onLookAgain"]],
  ["USERS_UPDATE", ["users", "onLookAgain"]],
  ["BOT_STATUS", ["", "onBot"]],
]);
