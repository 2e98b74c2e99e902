/** The small emoji picker: a handful for rating and talking, and a field for any other. */

import { h, rove } from "./dom.js";
import { closePopover, showPopover } from "./popover.js";

const HANDFUL = [
  ["👍", "thumbs up"], ["👎", "thumbs down"], ["❤️", "heart"], ["🔥", "fire"], ["😍", "heart eyes"], ["🙂", "smile"],
  ["😐", "neutral"], ["😖", "confounded"], ["⭐", "star"], ["🎉", "party"], ["😂", "laughing"], ["🤔", "thinking"],
  ["🎵", "note"], ["🎸", "guitar"], ["🥁", "drum"], ["🎹", "keys"], ["😴", "sleepy"], ["🤘", "horns"],
];
const EMOJI = /\p{Extended_Pictographic}|\p{Regional_Indicator}{2}|[#*0-9]\uFE0F?\u20E3/u;
const CUSTOM = /^<?a?:?(\w{2,32}):(\d{15,21})>?$/;
const COLUMNS = 6;

/** The emoji in what somebody typed (`😀` or `name:id`), or null. */
export function readEmoji(text) {
  const custom = CUSTOM.exec(text.trim());
  if (custom) return `${custom[1]}:${custom[2]}`;
  return EMOJI.test(text) && text.trim().length <= 20 ? text.trim() : null;
}

/** Open the picker next to `anchor`; `choose` gets the emoji. */
export function pickEmoji(anchor, choose) {
  const done = (emoji) => {
    closePopover();
    choose(emoji);
  };
  const grid = h("div", { class: "emoji-grid", role: "group", "aria-label": "Emoji" }, HANDFUL.map(([emoji, name], index) =>
    h("button", { type: "button", class: "emoji-choice", "aria-label": name, title: name, tabindex: index ? "-1" : "0", onclick: () => done(emoji) }, emoji)));
  rove(grid, () => [...grid.children], { columns: () => COLUMNS });
  const field = h("input", { class: "field", "aria-label": "Any other emoji", placeholder: "Any other emoji", maxlength: "60", autocomplete: "off" });
  const form = h("form", { class: "emoji-form", onsubmit: (event) => {
    event.preventDefault();
    const emoji = readEmoji(field.value);
    if (emoji) done(emoji);
    else field.setAttribute("aria-invalid", "true");
  } }, field, h("button", { class: "button" }, "Add"));
  showPopover(anchor, [grid, form], { label: "Choose an emoji" });
  grid.firstElementChild.focus();
}

const IN_TEXT = /(?:\p{Emoji_Presentation}|\p{Extended_Pictographic}\uFE0F)(?:\p{Emoji_Modifier}|\uFE0F|\u200D\p{Extended_Pictographic})*/gu;

/** A short text as nodes, its emoji marked so that they are drawn with an emoji font. */
export function withEmoji(text) {
  const nodes = [];
  let at = 0;
  for (const found of text.matchAll(IN_TEXT)) {
    nodes.push(text.slice(at, found.index), h("span", { class: "emoji" }, found[0]));
    at = found.index + found[0].length;
  }
  return [...nodes, text.slice(at)].filter((node) => node !== "");
}

/** Draw an emoji object from the API: custom ones by name, since their pictures live elsewhere. */
export function emojiNode(emoji) {
  if (emoji.id) return h("span", { class: "custom-emoji", title: `:${emoji.name}:` }, `:${emoji.name}:`);
  return h("span", { class: "emoji" }, emoji.name);
}
