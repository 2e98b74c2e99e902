/**
 * Clips: one speaker for the whole page, so that two never sound at once, and a player for each.
 *
 * A player shows the waveform that came with the message, or one decoded from the file once the
 * player comes into view.
 */

import { h, icon, iconButton, barsPath, stretchedSvg } from "./dom.js";
import { localUrl } from "./api.js";

const BARS = 56;
const WIDTH = 560;
const HEIGHT = 40;
const MAX_DECODE_BYTES = 16 * 1024 * 1024;
const AUDIO_NAME = /\.(mp3|wav|ogg|opus|flac|m4a|aac|weba)$/i;

/** Whether an attachment should get a player. */
export const isAudio = (attachment) =>
  /^audio\/(?!midi)/.test(attachment.content_type ?? "") || AUDIO_NAME.test(attachment.filename ?? "");

/** Seconds as m:ss. */
export function clock(seconds) {
  if (!Number.isFinite(seconds)) return "-:--";
  const whole = Math.max(0, Math.round(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

/** The one sound source. Events: "change" (what or whether it plays), "time", "failed". */
export class Speaker extends EventTarget {
  track = null;
  chain = false;
  #element;
  #ticking = false;

  constructor(element) {
    super();
    this.#element = element;
    for (const name of ["play", "pause", "loadedmetadata"]) element.addEventListener(name, () => this.#changed());
    element.addEventListener("timeupdate", () => this.dispatchEvent(new Event("time")));
    element.addEventListener("ended", () => this.#ended());
    element.addEventListener("error", () => this.track && this.dispatchEvent(new Event("failed")));
  }

  get playing() {
    return Boolean(this.track) && !this.#element.paused;
  }

  get time() {
    return this.#element.currentTime;
  }

  get duration() {
    return Number.isFinite(this.#element.duration) ? this.#element.duration : this.track?.duration ?? NaN;
  }

  /** Whether this clip of a message is playing. */
  sounds(messageId, letter) {
    return this.playing && this.track.messageId === messageId && this.track.letter === letter;
  }

  /** Play a track from `at` seconds, or from where it stopped. */
  async play(track, at = null) {
    if (this.track?.id !== track.id) {
      this.track = track;
      this.#element.src = track.url;
    }
    if (at !== null) this.#element.currentTime = at;
    try {
      await this.#element.play();
    } catch (error) {
      if (error.name !== "AbortError") this.dispatchEvent(new Event("failed"));
    }
  }

  toggle(track) {
    this.chain = false;
    if (this.track?.id === track.id && this.playing) this.#element.pause();
    else this.play(track);
  }

  pause() {
    this.#element.pause();
  }

  /** Move to a place (0 to 1) of a track; starts it when it was not the current one. */
  seek(track, fraction) {
    const length = this.track?.id === track.id ? this.duration : track.duration;
    const at = Number.isFinite(length) ? Math.min(fraction * length, Math.max(0, length - 0.05)) : 0;
    if (this.track?.id === track.id) this.#element.currentTime = at;
    else this.play(track, at);
  }

  /** Play all tracks of the current message from the first. */
  playAll(tracks) {
    this.chain = true;
    this.play(tracks[0], 0);
  }

  /** Go `by` tracks on among the clips on the page (+1 next, -1 previous). */
  step(by) {
    const tracks = tracksOnPage();
    const at = tracks.findIndex((track) => track.id === this.track?.id);
    const next = tracks[at + by];
    if (next) this.play(next, 0);
    return Boolean(next);
  }

  stop() {
    this.chain = false;
    this.#element.pause();
    this.#element.removeAttribute("src");
    this.track = null;
    this.dispatchEvent(new Event("change"));
  }

  #ended() {
    const tracks = tracksOnPage();
    const at = tracks.findIndex((track) => track.id === this.track?.id);
    const next = tracks[at + 1];
    if (this.chain && next?.messageId === this.track?.messageId) this.play(next, 0);
    else this.#changed();
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
    if (!this.#ticking && this.playing) this.#tick();
  }

  #tick() {
    this.#ticking = this.playing;
    if (!this.#ticking) return;
    this.dispatchEvent(new Event("time"));
    requestAnimationFrame(() => this.#tick());
  }
}

const views = new WeakMap();

function tracksOnPage() {
  return [...document.querySelectorAll(".clip")].map((node) => views.get(node).track);
}

/** The tracks of the players inside `root`, in reading order. */
export const tracksWithin = (root) => [...root.querySelectorAll(".clip")].map((node) => views.get(node).track);

/** A file's name for people: without its ending, and without the letter that stands beside it. */
const spoken = (filename, letter) => {
  const bare = filename.replace(/\.[a-z0-9]{2,4}$/i, "");
  const name = letter && bare.startsWith(`${letter}-`) ? bare.slice(letter.length + 1) : bare;
  return name.replace(/-(\d+)bpm$/, " · $1 bpm");
};

/** The player of one attachment. `place` says where it stands: {messageId, letter, position}. */
export function clipPlayer(attachment, speaker, place) {
  const url = localUrl(attachment.url);
  const name = attachment.title || spoken(attachment.filename, place.letter);
  const track = { id: attachment.id, url, name, duration: attachment.duration_secs ?? NaN, ...place };
  const toggle = h("button", { type: "button", class: "clip-play", onclick: () => speaker.toggle(track) }, icon("play"));
  const wave = waveform(track, speaker);
  const time = h("span", { class: "clip-time" }, clock(track.duration));
  const node = h("div", { class: "clip", role: "group", "aria-label": clipLabel(track), dataset: { attachment: attachment.id } },
    toggle,
    h("div", { class: "clip-body" },
      h("div", { class: "clip-head" },
        track.letter ? h("span", { class: "letter", "aria-hidden": "true" }, track.letter) : null,
        h("span", { class: "clip-name", title: attachment.description || name }, name), time),
      wave),
    h("a", { class: "icon-button clip-save", href: url, download: attachment.filename, "aria-label": `Download ${attachment.filename}`, title: `Download ${attachment.filename}` },
      icon("download")));
  const view = playerView({ node, toggle, wave, time, track, speaker });
  views.set(node, view);
  view.update();
  lazily(node, () => showPeaks({ wave, time, track, attachment }));
  return node;
}

const clipLabel = (track) => (track.letter ? `Clip ${track.letter}: ${track.name}` : `Clip: ${track.name}`);

function waveform(track, speaker) {
  const wave = h("div", { class: "wave", role: "slider", tabindex: "0", "aria-label": `Position in ${clipLabel(track)}`,
    "aria-valuemin": "0", "aria-valuemax": "100", "aria-valuenow": "0" });
  wave.append(drawBars(new Array(BARS).fill(0.12)));
  const place = (event) => {
    const box = wave.getBoundingClientRect();
    return Math.max(0, Math.min(1, (event.clientX - box.left) / box.width));
  };
  wave.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    wave.setPointerCapture(event.pointerId);
    speaker.seek(track, place(event));
  });
  wave.addEventListener("pointermove", (event) => {
    if (wave.hasPointerCapture(event.pointerId)) speaker.seek(track, place(event));
  });
  wave.addEventListener("keydown", (event) => waveKey(event, track, speaker));
  return wave;
}

function waveKey(event, track, speaker) {
  const current = speaker.track?.id === track.id;
  const length = current ? speaker.duration : track.duration;
  const at = current ? speaker.time : 0;
  const jumps = { ArrowRight: at + 1, ArrowLeft: at - 1, ArrowUp: at + 1, ArrowDown: at - 1, Home: 0, End: length, PageUp: at + 4, PageDown: at - 4 };
  if (event.key === " " || event.key === "Enter") speaker.toggle(track);
  else if (event.key in jumps && length) speaker.seek(track, Math.max(0, Math.min(1, jumps[event.key] / length)));
  else return;
  event.preventDefault();
}

function drawBars(heights) {
  const svg = stretchedSvg(WIDTH, HEIGHT);
  for (const layer of ["wave-rest", "wave-played"]) {
    const path = barsPath(heights, WIDTH, HEIGHT);
    path.setAttribute("class", layer);
    svg.append(path);
  }
  return svg;
}

/** How a player looks at this moment; called for every change of the speaker. */
function playerView({ node, toggle, wave, time, track, speaker }) {
  const current = () => speaker.track?.id === track.id;
  const move = () => {
    const length = current() ? speaker.duration : track.duration;
    const fraction = current() && length ? speaker.time / length : 0;
    wave.style.setProperty("--played", `${(fraction * 100).toFixed(2)}%`);
    wave.setAttribute("aria-valuenow", String(Math.round(fraction * 100)));
    wave.setAttribute("aria-valuetext", `${clock(current() ? speaker.time : 0)} of ${clock(length)}`);
    time.textContent = current() && speaker.time > 0 ? `${clock(speaker.time)} / ${clock(length)}` : clock(length);
  };
  const update = () => {
    const playing = current() && speaker.playing;
    node.classList.toggle("is-current", current());
    toggle.replaceChildren(icon(playing ? "pause" : "play"));
    toggle.setAttribute("aria-label", `${playing ? "Pause" : "Play"} ${clipLabel(track)}`);
    move();
  };
  const failed = () => {
    time.textContent = "Cannot be played here";
  };
  return { track, update, move, failed };
}

/** Keep every player on the page in step with the speaker. */
export function connectPlayers(speaker) {
  const each = (selector, name) => {
    for (const node of document.querySelectorAll(selector)) views.get(node)?.[name]();
  };
  speaker.addEventListener("change", () => {
    each(".clip", "update");
    for (const row of document.querySelectorAll(".row[data-letter]")) {
      row.classList.toggle("is-playing", speaker.sounds(row.closest(".message")?.dataset.id, row.dataset.letter));
    }
  });
  speaker.addEventListener("time", () => each(".clip.is-current", "move"));
  speaker.addEventListener("failed", () => each(".clip.is-current", "failed"));
}

const onScreen = typeof IntersectionObserver === "undefined" ? null : new IntersectionObserver((entries) => {
  for (const entry of entries) {
    if (!entry.isIntersecting) continue;
    onScreen.unobserve(entry.target);
    waiting.get(entry.target)?.();
    waiting.delete(entry.target);
  }
}, { rootMargin: "200px" });
const waiting = new WeakMap();

function lazily(node, work) {
  waiting.set(node, work);
  onScreen.observe(node);
}

async function showPeaks({ wave, time, track, attachment }) {
  const found = await peaksOf(attachment, track.url);
  if (!found) return;
  if (!Number.isFinite(track.duration) && found.duration) {
    track.duration = found.duration;
    time.textContent = clock(found.duration);
  }
  wave.replaceChildren(drawBars(found.heights));
}

const known = new Map();
let queue = Promise.resolve();

function peaksOf(attachment, url) {
  if (!known.has(attachment.id)) {
    if (attachment.waveform) {
      known.set(attachment.id, Promise.resolve({ heights: fromBase64(attachment.waveform), duration: attachment.duration_secs }));
    } else if ((attachment.size ?? 0) <= MAX_DECODE_BYTES) {
      queue = queue.then(() => decode(url));
      known.set(attachment.id, queue);
    }
  }
  return known.get(attachment.id) ?? Promise.resolve(null);
}

function fromBase64(text) {
  try {
    return resample(Float32Array.from(atob(text), (letter) => letter.charCodeAt(0) / 255));
  } catch {
    return new Array(BARS).fill(0.12);
  }
}

/** The loudest value in each of BARS stretches, the tallest bar at full height. */
function resample(values) {
  const heights = [];
  for (let bar = 0; bar < BARS; bar += 1) {
    const from = Math.floor((bar * values.length) / BARS);
    const to = Math.max(from + 1, Math.floor(((bar + 1) * values.length) / BARS));
    let peak = 0;
    for (let at = from; at < to; at += 1) peak = Math.max(peak, Math.abs(values[at] ?? 0));
    heights.push(peak);
  }
  const top = Math.max(...heights) || 1;
  return heights.map((value) => 0.08 + 0.92 * (value / top));
}

/** Loudness by stretch rather than peaks, so that mastered music does not look like a brick. */
async function decode(url) {
  try {
    const data = await (await fetch(url)).arrayBuffer();
    const audio = await new OfflineAudioContext(1, 1, 22050).decodeAudioData(data);
    return { heights: resample(loudness(audio.getChannelData(0))), duration: audio.duration };
  } catch {
    return null;
  }
}

function loudness(samples) {
  const size = Math.max(1, Math.floor(samples.length / BARS));
  return Float32Array.from({ length: BARS }, (_, bar) => {
    let sum = 0;
    for (let at = bar * size; at < Math.min(samples.length, (bar + 1) * size); at += 1) sum += samples[at] ** 2;
    return Math.sqrt(sum / size);
  });
}

/** The strip that shows what sounds, with previous, pause and next. */
export function nowPlaying(host, speaker, { jumpTo }) {
  const title = h("button", { type: "button", class: "now-title", onclick: () => speaker.track && jumpTo(speaker.track.messageId) });
  const toggle = iconButton("pause", "Pause", () => speaker.toggle(speaker.track));
  const bar = h("div", { class: "now-bar" });
  host.setAttribute("aria-label", "Now playing");
  host.setAttribute("role", "region");
  host.append(bar, iconButton("previous", "Previous clip", () => speaker.step(-1)), toggle,
    iconButton("next", "Next clip", () => speaker.step(1)), title,
    iconButton("close", "Stop", () => speaker.stop()));
  const tell = () => {
    host.hidden = !speaker.track;
    if (!speaker.track) return;
    toggle.replaceChildren(icon(speaker.playing ? "pause" : "play"));
    toggle.setAttribute("aria-label", speaker.playing ? "Pause" : "Play");
    title.textContent = speaker.track.letter ? `${speaker.track.letter} · ${speaker.track.name}` : speaker.track.name;
  };
  const move = () => bar.style.setProperty("--played", `${((100 * speaker.time) / (speaker.duration || 1)).toFixed(2)}%`);
  speaker.addEventListener("change", tell);
  speaker.addEventListener("time", move);
}
