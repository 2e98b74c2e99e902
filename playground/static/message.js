/** One message as a row of the timeline. */

import { h, icon, iconButton } from "./dom.js";
import { localUrl, safeLink } from "./api.js";
import { clipPlayer, isAudio, tracksWithin } from "./audio.js";
import { colour, componentsOf, isLettered, letterOf, picture } from "./components.js";
import { emojiNode } from "./emoji.js";
import { plainText, render } from "./markdown.js";
import { displayName, emojiKey, isEphemeral } from "./store.js";

const LOADING = 128;
const GROUP_MINUTES = 7;
const SYSTEM_TYPES = { 6: "pinned a message.", 7: "joined.", 18: "started a thread." };

/** Whether `message` continues the block of `previous` (same author, shortly after). */
export function continues(message, previous) {
  if (!previous || previous.author?.id !== message.author?.id || message.referenced_message || message.interaction_metadata) return false;
  if (isEphemeral(message) !== isEphemeral(previous) || message.type in SYSTEM_TYPES || previous.type in SYSTEM_TYPES) return false;
  if ([message, previous].some((one) => one.components?.length || one.attachments?.length)) return false;
  return new Date(message.timestamp) - new Date(previous.timestamp) < GROUP_MINUTES * 60000;
}

/** The round mark of a person: initials on their colour. */
export function avatar(user, className = "avatar") {
  const initials = displayName(user).split(/\s+/).map((word) => [...word][0]).slice(0, 2).join("").toUpperCase();
  if (user?.bot) return h("span", { class: `${className} avatar-bot`, "aria-hidden": "true" }, h("img", { src: "static/icon.svg", alt: "" }));
  const shade = typeof user?.avatar_color === "number" ? colour(user.avatar_color) : user?.avatar_color;
  return h("span", { class: className, "aria-hidden": "true", style: shade ? { "--shade": shade } : {} }, initials);
}

/**
 * Build the row. `context`: {store, speaker, interactions, names, actions, old}; `old` is the row that
 * this one replaces, whose players go on playing.
 */
export function messageRow(message, previous, context) {
  const grouped = continues(message, previous);
  const row = h("li", {
    class: ["message", grouped && "is-grouped", isEphemeral(message) && "is-ephemeral"].filter(Boolean).join(" "),
    id: `message-${message.id}`, dataset: { id: message.id },
  });
  if (message.type in SYSTEM_TYPES) {
    row.classList.add("is-system");
    row.append(systemLine(message, context));
    return row;
  }
  row.append(grouped ? h("span", { class: "side-time", "aria-hidden": "true" }, clockTime(message)) : avatar(authorOf(message, context)),
    h("div", { class: "message-main" },
      aboveLine(message, context),
      grouped ? h("span", { class: "sr-only" }, `${displayName(authorOf(message, context))}, ${shortTime(message)}`)
        : h("div", { class: "message-head" }, headParts(message, context)),
      ...body(message, context)),
    toolbar(message, context));
  return row;
}

const authorOf = (message, { store }) => store.users.get(message.author?.id) ?? message.author;
const clockTime = (message) => new Date(message.timestamp).toLocaleTimeString(undefined, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const shortTime = (message) => new Date(message.timestamp).toLocaleTimeString(undefined, { hour: "2-digit", minute: "2-digit" });

function headParts(message, context) {
  const author = authorOf(message, context);
  const date = new Date(message.timestamp);
  const today = new Date().toDateString() === date.toDateString();
  const time = today ? shortTime(message) : date.toLocaleString(undefined, { dateStyle: "short", timeStyle: "short" });
  return [
    h("button", { type: "button", class: "author", onclick: (event) => context.actions.personMenu(event.currentTarget, author) }, displayName(author)),
    author?.bot ? h("span", { class: "tag" }, "BOT") : null,
    author?.synthetic ? h("span", { class: "tag tag-soft" }, "SYNTHETIC") : null,
    h("time", { class: "when", datetime: message.timestamp, title: date.toLocaleString() }, time),
  ];
}

function aboveLine(message, context) {
  const { store, names, actions } = context;
  const asked = message.interaction?.name ? message.interaction : message.interaction_metadata;
  if (asked?.name && asked.user) {
    const user = store.users.get(asked.user.id) ?? asked.user;
    return h("div", { class: "above" }, avatar(user, "avatar avatar-small"), h("b", {}, displayName(user)), " used ", h("span", { class: "mention" }, `/${asked.name}`));
  }
  if (message.type !== 19 && !message.message_reference?.message_id) return null;
  const target = message.referenced_message ?? store.find(message.channel_id, message.message_reference.message_id);
  if (!target) return h("div", { class: "above" }, icon("reply"), "Reply to a message that is gone");
  const preview = plainText(target.content ?? "", names).slice(0, 120) || (target.attachments?.length ? "Clips" : "A message");
  return h("button", { type: "button", class: "above above-link", onclick: () => actions.jumpTo(target.id) },
    icon("reply"), h("b", {}, displayName(store.users.get(target.author?.id) ?? target.author)), h("span", { class: "above-text" }, preview));
}

function body(message, context) {
  if ((message.flags ?? 0) & LOADING) {
    return [h("p", { class: "thinking" }, h("span", { class: "dots", "aria-hidden": "true" }), `${displayName(authorOf(message, context))} is thinking…`), ephemeralLine(message, context)];
  }
  const audio = (message.attachments ?? []).filter(isAudio);
  const files = clips(message, audio, context);
  const playRow = (index) => context.speaker.toggle(tracksWithin(files)[index]);
  return [
    text(message, context), files, otherFiles(message),
    (message.embeds ?? []).map((embed) => embedCard(embed, message, context)),
    componentsOf({ ...context, message, clips: audio.length, playRow }),
    failureLine(message, context), threadCard(message, context), reactions(message, context), ephemeralLine(message, context),
  ].flat().filter(Boolean);
}

function text(message, { names }) {
  const edited = message.edited_timestamp ? h("span", { class: "edited", title: new Date(message.edited_timestamp).toLocaleString() }, "(edited)") : null;
  if (!message.content) return null;
  return h("div", { class: "markdown" }, render(message.content, names), edited);
}

function clips(message, audio, { speaker, old }) {
  if (!audio.length) return null;
  const lettered = isLettered(message, audio.length);
  const kept = new Map([...(old?.querySelectorAll(".clip") ?? [])].map((node) => [node.dataset.attachment, node]));
  const players = audio.map((attachment, index) => {
    const letter = lettered ? letterOf(index) : null;
    const known = kept.get(attachment.id);
    return known && (known.dataset.letter ?? "") === (letter ?? "") ? known : letteredPlayer(attachment, speaker, { messageId: message.id, letter });
  });
  const grid = h("div", { class: "clips" }, players);
  const playAll = audio.length > 1
    ? h("button", { type: "button", class: "text-button play-all", dataset: { control: "play-all" }, onclick: () => speaker.playAll(tracksWithin(grid)) }, icon("play"), `Play all ${audio.length}`)
    : null;
  return h("div", { class: "clips-box" }, grid, playAll);
}

function letteredPlayer(attachment, speaker, place) {
  const node = clipPlayer(attachment, speaker, place);
  if (place.letter) node.dataset.letter = place.letter;
  return node;
}

function otherFiles(message) {
  const used = new Set((message.embeds ?? []).flatMap((embed) => [embed.image?.url, embed.thumbnail?.url]).filter((url) => url?.startsWith("attachment://")).map((url) => url.slice(13)));
  return (message.attachments ?? []).filter((attachment) => !isAudio(attachment) && !used.has(attachment.filename)).map((attachment) => {
    if ((attachment.content_type ?? "").startsWith("image/")) return picture(attachment, attachment.description || attachment.filename, "attached-image");
    const href = localUrl(attachment.url);
    return h("a", { class: "file-card", href, download: attachment.filename }, icon("file"),
      h("span", { class: "file-text" }, h("b", {}, attachment.filename), h("small", {}, size(attachment.size ?? 0))), icon("download"));
  });
}

function size(bytes) {
  if (bytes < 1024) return `${bytes} bytes`;
  return bytes < 1048576 ? `${(bytes / 1024).toFixed(0)} KB` : `${(bytes / 1048576).toFixed(1)} MB`;
}

function embedCard(embed, message, { names }) {
  const media = (entry) => {
    if (!entry?.url?.startsWith("attachment://")) return entry;
    return (message.attachments ?? []).find((attachment) => attachment.filename === entry.url.slice(13));
  };
  const href = embed.url ? safeLink(embed.url) : null;
  const title = embed.title ? render(embed.title, names) : null;
  const card = h("article", { class: "embed" },
    embed.author?.name ? h("div", { class: "embed-author" }, embed.author.name) : null,
    title ? h("h3", { class: "embed-title" }, href ? h("a", { href, target: "_blank", rel: "noopener noreferrer nofollow" }, title) : title) : null,
    embed.description ? h("div", { class: "markdown" }, render(embed.description, names)) : null,
    embed.fields?.length ? h("dl", { class: "fields" }, embed.fields.map((field) =>
      h("div", { class: field.inline ? "field-cell" : "field-cell is-wide" }, h("dt", {}, render(field.name, names)), h("dd", { class: "markdown" }, render(field.value, names))))) : null,
    embed.thumbnail ? picture(media(embed.thumbnail), "Picture", "thumbnail") : null,
    embed.image ? picture(media(embed.image), "Picture", "attached-image") : null,
    embed.footer?.text || embed.timestamp ? h("footer", { class: "embed-foot" }, [embed.footer?.text, embed.timestamp ? new Date(embed.timestamp).toLocaleString() : null].filter(Boolean).join(" · ")) : null);
  if (Number.isInteger(embed.color)) card.style.setProperty("--accent-line", colour(embed.color));
  return card;
}

function failureLine(message, { interactions }) {
  const failure = interactions.failure(message.id);
  return failure ? h("p", { class: "failure" }, failure) : null;
}

function threadCard(message, { store, actions }) {
  const thread = store.channels.get(message.id) ?? message.thread;
  if (!thread || thread.id !== message.id) return null;
  return h("button", { type: "button", class: "thread-card", dataset: { control: "thread" }, onclick: () => actions.openChannel(thread.id) },
    icon("thread"), h("b", {}, thread.name ?? "Thread"), h("span", {}, "Open thread"));
}

function reactions(message, { actions }) {
  if (!message.reactions?.length) return null;
  const chips = message.reactions.map((entry) => h("button", {
    type: "button", class: "reaction", "aria-pressed": String(Boolean(entry.me)), dataset: { control: `react-${emojiKey(entry.emoji)}` },
    "aria-label": `${entry.emoji.name}, ${entry.count}`, onclick: () => actions.toggleReaction(message, entry),
  }, emojiNode(entry.emoji), h("span", {}, String(entry.count))));
  return h("div", { class: "reactions" }, chips,
    iconButton("smile", "Add a reaction", (event) => actions.addReaction(message, event.currentTarget), { dataset: { control: "react-more" } }));
}

function ephemeralLine(message, { actions }) {
  if (!isEphemeral(message)) return null;
  return h("p", { class: "only-you" }, icon("eye"), "Only you can see this · ",
    h("button", { type: "button", class: "text-button", dataset: { control: "dismiss" }, onclick: () => actions.dismiss(message) }, "Dismiss"));
}

function toolbar(message, { actions }) {
  if ((message.flags ?? 0) & LOADING) return null;
  const react = isEphemeral(message) ? null
    : iconButton("smile", "React", (event) => actions.addReaction(message, event.currentTarget), { dataset: { control: "tool-react" } });
  return h("div", { class: "message-tools" }, react,
    iconButton("more", "More", (event) => actions.messageMenu(event.currentTarget, message), { "aria-haspopup": "menu", dataset: { control: "tool-more" } }));
}

function systemLine(message, context) {
  const { store, actions } = context;
  const started = message.type === 18 ? message.message_reference?.channel_id : null;
  return h("p", { class: "system-line" }, icon(message.type === 18 ? "thread" : "people"), h("b", {}, displayName(authorOf(message, context))),
    ` ${SYSTEM_TYPES[message.type]} `,
    started && store.channels.has(started)
      ? h("button", { type: "button", class: "text-button", onclick: () => actions.openChannel(started) }, message.content || "Open it") : null);
}
