/**
 * The chat's markdown, as DOM nodes.
 *
 * Blocks first (fences, quotes, headings, lists), then inline marks. Everything that is not a known
 * mark stays text. `names` resolves mentions: user(id), channel(id), role(id) give a string or null.
 */

import { h } from "./dom.js";
import { safeLink } from "./api.js";

const MAX_DEPTH = 8;
const BLOCKS = [
  [/```(?:([\w+#.-]{1,20})\n)?\n?([\s\S]*?)\n?```/y, (found) => h("pre", {}, h("code", {}, found[2]))],
  [/>>> ([\s\S]*)/y, (found, names) => h("blockquote", {}, render(found[1], names, { quoted: true }))],
  [/(?:> [^\n]*(?:\n|$))+/y, (found, names) => h("blockquote", {}, render(found[0].replace(/^> /gm, "").replace(/\n$/, ""), names, { quoted: true }))],
  [/(#{1,3}) +([^\n]+)(?:\n|$)/y, (found, names) => h(`h${found[1].length + 2}`, { class: "md-heading" }, inline(found[2], names))],
  [/-# +([^\n]+)(?:\n|$)/y, (found, names) => h("p", { class: "md-small" }, inline(found[1], names))],
  [/(?: {0,6}[-*] +[^\n]+(?:\n|$))+/y, (found, names) => bulleted(found[0], names)],
  [/(?:\d{1,4}\. +[^\n]+(?:\n|$))+/y, (found, names) => numbered(found[0], names)],
];

const QUOTES = new Set([BLOCKS[1][0], BLOCKS[2][0]]);

/** Turn `text` into a list of nodes. Quotes do not nest: inside one, `quoted` is true. */
export function render(text, names, { quoted = false } = {}) {
  const nodes = [];
  let plain = "";
  let at = 0;
  const flush = () => {
    if (plain.trim()) nodes.push(h("p", {}, inline(plain.replace(/^\n+|\n+$/g, ""), names)));
    plain = "";
  };
  while (at < text.length) {
    const block = matchBlock(text, at, quoted);
    if (block) {
      flush();
      nodes.push(block.make(block.found, names));
      at += block.found[0].length;
    } else {
      const next = nextStop(text, at);
      plain += text.slice(at, next);
      at = next;
    }
  }
  flush();
  return nodes;
}

function matchBlock(text, at, quoted) {
  const lineStart = at === 0 || text[at - 1] === "\n";
  for (const [pattern, make] of BLOCKS) {
    if (!lineStart && pattern !== BLOCKS[0][0]) break;
    if (quoted && QUOTES.has(pattern)) continue;
    pattern.lastIndex = at;
    const found = pattern.exec(text);
    if (found?.[0]) return { found, make };
  }
  return null;
}

function nextStop(text, at) {
  const line = text.indexOf("\n", at);
  const fence = text.indexOf("```", at + 1);
  return Math.min(line < 0 ? text.length : line + 1, fence < 0 ? text.length : fence);
}

function bulleted(source, names) {
  const list = h("ul", {});
  for (const line of source.trimEnd().split("\n")) {
    const [, indent, text] = /^( *)[-*] +(.*)$/.exec(line);
    list.append(h("li", { class: indent.length > 1 ? "md-nested" : null }, inline(text, names)));
  }
  return list;
}

function numbered(source, names) {
  const lines = source.trimEnd().split("\n").map((line) => /^(\d+)\. +(.*)$/.exec(line));
  return h("ol", { start: lines[0][1] }, lines.map((line) => h("li", {}, inline(line[2], names))));
}

const wrap = (tag, props = {}) => (found, names, depth) => h(tag, props, inline(found[1], names, depth + 1));
const pill = (text) => h("span", { class: "mention" }, text);
const INLINE = [
  [/\\([^A-Za-z0-9\s])/y, (found) => found[1]],
  [/``([^\n]+?)``/y, (found) => h("code", {}, found[1].trim())],
  [/`([^`\n]+)`/y, (found) => h("code", {}, found[1])],
  [/\|\|([\s\S]+?)\|\|/y, (found, names, depth) => spoiler(inline(found[1], names, depth + 1))],
  [/\*\*\*([\s\S]+?)\*\*\*/y, (found, names, depth) => h("strong", {}, h("em", {}, inline(found[1], names, depth + 1)))],
  [/\*\*(?=\s*[^\s*])([\s\S]+?)\*\*(?!\*)/y, wrap("strong")],
  [/__([\s\S]+?)__(?!_)/y, wrap("u")],
  [/\*(?=[^\s*]|\*\*[^*])([^*\n]*(?:\*\*[^*\n]+\*\*[^*\n]*)*)\*(?!\*)/y, wrap("em")],
  [/\b_(?=\S)([^_\n]+)_\b/y, wrap("em")],
  [/~~([\s\S]+?)~~/y, wrap("s")],
  [/\[([^\]\n]{1,300})\]\(<?([^\s)>]+)>?(?: "[^"\n]*")?\)/y, (found, names, depth) => link(found[2], inline(found[1], names, depth + 1), found[0])],
  [/<(https?:\/\/[^\s>]+)>/y, (found) => link(found[1], found[1], found[0])],
  [/https?:\/\/(?:\([^\s<>()]*\)|[^\s<>()])*(?:\([^\s<>()]*\)|[^\s<>()\].,:;!?'"*_])/y, (found) => link(found[0], found[0], found[0])],
  [/<@!?(\d{1,25})>/y, (found, names) => pill(`@${names.user(found[1]) ?? "someone"}`)],
  [/<@&(\d{1,25})>/y, (found, names) => pill(`@${names.role?.(found[1]) ?? "role"}`)],
  [/<#(\d{1,25})>/y, (found, names) => channelLink(found[1], names)],
  [/<\/([-\w ]{1,100}):\d{1,25}>/y, (found) => pill(`/${found[1]}`)],
  [/<a?:(\w{1,40}):\d{1,25}>/y, (found) => h("span", { class: "custom-emoji", title: `:${found[1]}:` }, `:${found[1]}:`)],
  [/<t:(-?\d{1,13})(?::([tTdDfFR]))?>/y, (found) => timestamp(Number(found[1]), found[2] ?? "f")],
  [/@(everyone|here)\b/y, (found) => pill(found[0])],
  [/(?:\p{Emoji_Presentation}|\p{Extended_Pictographic}\uFE0F)(?:\p{Emoji_Modifier}|\uFE0F|\u200D\p{Extended_Pictographic})*/uy,
    (found) => h("span", { class: "emoji" }, found[0])],
];
const PLAIN = /[^\\`|*_~[<h@\p{Emoji_Presentation}\p{Extended_Pictographic}]+/uy;

/** Turn one paragraph into a list of nodes and strings. */
export function inline(text, names, depth = 0) {
  if (depth > MAX_DEPTH) return [text];
  const out = [];
  let plain = "";
  let at = 0;
  while (at < text.length) {
    PLAIN.lastIndex = at;
    const run = PLAIN.exec(text);
    if (run) {
      plain += run[0];
      at += run[0].length;
      continue;
    }
    const mark = matchInline(text, at, names, depth);
    if (mark) {
      out.push(plain, mark.node);
      plain = "";
      at += mark.length;
    } else {
      plain += text[at];
      at += 1;
    }
  }
  out.push(plain);
  return out.filter((entry) => entry !== "");
}

function matchInline(text, at, names, depth) {
  for (const [pattern, make] of INLINE) {
    pattern.lastIndex = at;
    const found = pattern.exec(text);
    if (found) return { node: make(found, names, depth), length: found[0].length };
  }
  return null;
}

function link(address, label, source) {
  const href = safeLink(address);
  if (!href) return source;
  return h("a", { href, target: "_blank", rel: "noopener noreferrer nofollow", title: href }, label);
}

function channelLink(id, names) {
  const name = names.channel(id);
  if (!name) return pill("#unknown");
  return h("button", { type: "button", class: "mention mention-link", dataset: { openChannel: id } }, `#${name}`);
}

function spoiler(children) {
  const reveal = (event) => {
    const cover = event.currentTarget;
    if (cover.dataset.shown) return;
    cover.dataset.shown = "1";
    cover.setAttribute("aria-expanded", "true");
    cover.setAttribute("aria-label", "Spoiler, shown");
    event.preventDefault();
  };
  const onkeydown = (event) => (event.key === "Enter" || event.key === " ") && reveal(event);
  const props = { class: "spoiler", tabindex: "0", role: "button", "aria-expanded": "false", "aria-label": "Spoiler, press to show" };
  return h("span", { ...props, onclick: reveal, onkeydown }, h("span", { class: "spoiler-text" }, children));
}

const UNITS = [["year", 31557600], ["month", 2629800], ["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];

/** "in 2 minutes", "3 days ago": `seconds` is a Unix time. */
export function relativeTime(seconds, now = Date.now() / 1000) {
  const distance = seconds - now;
  const [unit, size] = UNITS.find(([, length]) => Math.abs(distance) >= length) ?? UNITS.at(-1);
  return new Intl.RelativeTimeFormat(undefined, { numeric: "auto" }).format(Math.round(distance / size), unit);
}

const STYLES = {
  t: { timeStyle: "short" },
  T: { timeStyle: "medium" },
  d: { dateStyle: "short" },
  D: { dateStyle: "long" },
  f: { dateStyle: "long", timeStyle: "short" },
  F: { dateStyle: "full", timeStyle: "short" },
};

function timestamp(seconds, style) {
  const date = new Date(seconds * 1000);
  if (Number.isNaN(date.getTime())) return `<t:${seconds}>`;
  const full = new Intl.DateTimeFormat(undefined, STYLES.F).format(date);
  const props = { datetime: date.toISOString(), title: full, class: "md-time" };
  if (style === "R") return h("time", { ...props, dataset: { relative: String(seconds) } }, relativeTime(seconds));
  return h("time", props, new Intl.DateTimeFormat(undefined, STYLES[style]).format(date));
}

/** Bring every "2 minutes ago" on the page up to date. */
export function refreshTimes(root = document) {
  for (const element of root.querySelectorAll("time[data-relative]")) {
    element.textContent = relativeTime(Number(element.dataset.relative));
  }
}

/** The text of a message without its marks, for previews and screen readers. */
export function plainText(text, names) {
  return render(text, names).map((node) => node.textContent).join(" ");
}
