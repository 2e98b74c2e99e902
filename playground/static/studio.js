/** The studio page: sliders and words in, takes out. It only uses the HTTP API under /studio/api. */

import { announce, append, barsPath, h, icon, stretchedSvg, uniqueId } from "./dom.js";

const API = "/studio/api";
const FINAL = new Set(["done", "failed", "cancelled"]);
const NOTES = ["C", "C♯", "D", "E♭", "E", "F", "F♯", "G", "A♭", "A", "B♭", "B"];
const SLIDERS = [
  ["energy", "Energy", "calm", "driving"],
  ["valence", "Mood", "sad", "happy"],
  ["danceability", "Danceability", "loose", "made for dancing"],
  ["acousticness", "Acousticness", "electronic", "acoustic"],
  ["instrumentalness", "Instrumentalness", "sung", "no voice"],
  ["loudness", "Played", "softly", "loudly"],
  ["tempo", "Tempo", "slow", "fast"],
];
const LENGTHS = [[8, "8 seconds"], [15, "15 seconds"], [30, "30 seconds"], [60, "1 minute"], [180, "3 minutes"]];

const EXPORTS = [["midi", "MIDI"], ["stems", "Stems"], ["musicxml", "Sheet music"]];

class Refused extends Error {}

async function call(method, path, body) {
  let response;
  try {
    response = await fetch(API + path, {
      method,
      headers: body === undefined ? {} : { "Content-Type": "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch {
    throw new Refused("The playground did not answer. Is it still running?");
  }
  const data = await response.json().catch(() => null);
  if (!response.ok) throw new Refused(data?.error ?? `The playground refused this (${response.status}).`);
  return data;
}

/** A slider that is free until it is moved: what is free is left to the words and the composer. */
class Slider {
  constructor([name, title, low, high], range) {
    this.name = name;
    this.range = range;
    this.value = null;
    const id = uniqueId("slider");
    this.input = h("input", {
      type: "range", id, min: String(range.low), max: String(range.high),
      step: name === "tempo" ? "1" : name === "loudness" ? "0.5" : "0.01", oninput: () => this.set(Number(this.input.value)),
    });
    this.output = h("output", { for: id });
    this.row = h("div", { class: "row" },
      h("label", { for: id }, title), this.output, this.input,
      h("button", { type: "button", class: "free", "aria-label": `Leave ${title.toLowerCase()} free`, onclick: () => this.set(null) }, "free it"),
      h("div", { class: "ends", "aria-hidden": "true" }, h("span", {}, low), h("span", {}, high)));
    this.set(null);
  }

  set(value, shown = value) {
    this.value = value;
    this.row.classList.toggle("is-free", value === null);
    this.input.value = String(shown ?? this.range.median);
    this.output.textContent = value === null ? (shown === null || shown === undefined ? "free" : `free, ${this.words(shown)}`) : this.words(value);
    this.input.setAttribute("aria-valuetext", this.output.textContent);
  }

  words(value) {
    if (this.name === "tempo") return `${Math.round(value)} bpm`;
    if (this.name === "loudness") return `${value.toFixed(1)} dB`;
    return `${Math.round(100 * value)} %`;
  }
}

/** A select whose first entry leaves the choice free. */
class Choice {
  constructor(name, title, options) {
    this.name = name;
    this.options = new Map(options);
    const id = uniqueId("choice");
    this.select = h("select", { id }, h("option", { value: "" }, "free"), options.map(([value, text]) => h("option", { value: String(value) }, text)));
    this.row = h("div", {}, h("label", { for: id }, title), this.select);
  }

  get value() {
    return this.select.value === "" ? null : Number(this.select.value);
  }

  set(value, shown = value) {
    this.select.value = value === null || value === undefined ? "" : String(value);
    const word = this.options.get(shown);
    this.select.options[0].textContent = value === null && word ? `free, ${word}` : "free";
  }
}

class Desk {
  constructor(host, schema, onCompose) {
    this.seed = null;
    const range = schema.features;
    const words = uniqueId("words");
    this.words = h("textarea", { id: words, maxlength: "1000", placeholder: "a slow bossa nova in A minor, no drums, like a rainy evening", onchange: () => this.#read() });
    this.meaning = h("p", { class: "hint", "aria-live": "polite" });
    this.controls = SLIDERS.map((row) => new Slider(row, range[row[0]]));
    const [key, mode, metre] = [
      new Choice("key", "Key", NOTES.map((note, index) => [index, note])),
      new Choice("mode", "Mode", [[1, "major"], [0, "minor"]]),
      new Choice("time_signature", "Metre", [[2, "2/4"], [3, "3/4"], [4, "4/4"], [5, "5/4"], [6, "6/8"], [7, "7/8"]]),
    ];
    this.controls.push(key, mode, metre);
    const length = uniqueId("length");
    this.length = h("select", { id: length }, LENGTHS.map(([value, text]) => h("option", { value: String(value) }, text)));
    const keep = uniqueId("keep");
    this.keep = h("input", { type: "checkbox", id: keep, checked: true });
    this.button = h("button", { type: "submit", class: "button button-primary button-big" }, "Compose");
    append(host, [
      h("div", { class: "words" }, h("label", { for: words }, "In words"), this.words, this.meaning),
      this.controls.slice(0, SLIDERS.length).map((one) => one.row),
      h("div", { class: "trio" }, key.row, mode.row, metre.row),
      h("div", { class: "words" }, h("label", { for: length }, "Length"), this.length),
      h("div", { class: "check" }, this.keep, h("label", { for: keep }, "Keep the tune when only sliders change")),
      h("div", { class: "actions" }, this.button,
        h("button", { type: "button", class: "button button-secondary", onclick: () => this.fill({}) }, "Free all"),
        h("button", { type: "button", class: "button button-secondary", onclick: () => this.fill(Object.fromEntries(Object.entries(range).map(([name, one]) => [name, one.median]))) }, "Average song")),
    ]);
    host.addEventListener("submit", (event) => {
      event.preventDefault();
      onCompose(this.wish());
    });
  }

  wish() {
    const features = {};
    for (const control of this.controls) if (control.value !== null) features[control.name] = control.value;
    const wish = { text: this.words.value.trim(), features, seconds: Number(this.length.value) };
    if (this.keep.checked && this.seed !== null) wish.seed = this.seed;
    return wish;
  }

  fill(features) {
    for (const control of this.controls) control.set(features[control.name] ?? null);
  }

  /** Show, where a control is free, what was played. */
  played(features) {
    for (const control of this.controls) if (control.value === null && control.name in features) control.set(null, features[control.name]);
  }

  async #read() {
    if (!this.words.value.trim()) {
      this.meaning.textContent = "";
      return;
    }
    try {
      const { ignored } = await call("POST", "/read", { text: this.words.value });
      this.meaning.textContent = ignored.length ? `Not understood, so without effect: ${ignored.join(", ")}` : "Every word is understood.";
    } catch (error) {
      this.meaning.textContent = error.message;
    }
  }
}

/** One job as a card that follows it to its end. */
class Take {
  constructor(job, { onUse, onDone, onProblem }) {
    this.job = job;
    this.on = { onUse, onDone, onProblem };
    this.card = h("li", { class: "take", dataset: { job: job.id } });
    this.draw();
    if (!FINAL.has(job.state)) this.#follow();
  }

  async #follow() {
    while (!FINAL.has(this.job.state)) {
      try {
        this.job = await call("GET", `/jobs/${this.job.id}?wait=1`);
      } catch (error) {
        this.on.onProblem(error.message);
        return;
      }
      this.draw();
    }
    announce(this.job.state === "done" ? "A clip is ready." : "A clip was not made.");
    if (this.job.state === "done") this.on.onDone(this.job);
  }

  draw() {
    const { job } = this;
    this.card.replaceChildren(...[
      h("h2", {}, job.text || job.prompt),
      job.ignored.length ? h("p", { class: "hint" }, `Without effect: ${job.ignored.join(", ")}`) : null,
      job.repaired.length ? h("p", { class: "hint" }, `Repaired: ${job.repaired.join("; ")}`) : null,
      ...(job.state === "done" ? this.#finished() : [this.#standing()]),
    ].filter(Boolean));
  }

  #standing() {
    const { job } = this;
    const text = { queued: job.ahead ? `Waiting, ${job.ahead} before it` : "Waiting", running: "Composing …", cancelled: "Cancelled.", failed: job.error };
    return h("p", { class: job.state === "failed" ? "error" : "state" }, text[job.state] ?? job.state, " ",
      FINAL.has(job.state) ? null : h("button", { type: "button", class: "text-button", onclick: () => this.#cancel() }, "Cancel"));
  }

  async #cancel() {
    try {
      this.job = await call("DELETE", `/jobs/${this.job.id}`);
      this.draw();
    } catch (error) {
      this.on.onProblem(error.message);
    }
  }

  #finished() {
    const { job } = this;
    const wave = stretchedSvg(512, 64);
    wave.setAttribute("class", "wave");
    wave.append(barsPath(job.waveform, 512, 64));
    const { heard } = job;
    const instruments = [...new Set(Object.values(heard.instruments ?? {}).flat())].map((name) => name.replaceAll("_", " "));
    return [
      wave,
      h("audio", { controls: true, preload: "none", src: job.audio, onplay: (event) => silenceOthers(event.target) }),
      h("ul", { class: "facts" }, [
        heard.genre ?? heard.family?.replaceAll("_", " "), heard.tempo ? `${Math.round(heard.tempo)} bpm` : null,
        heard.tonic ? `${heard.tonic} ${heard.mode.replaceAll("_", " ")}` : null, heard.metre?.join("/"), ...instruments,
      ].filter(Boolean).map((fact) => h("li", {}, fact))),
      heard.chords ? h("div", { class: "chords", tabindex: "0", "aria-label": "Chords by bar" }, chart(heard.chords)) : null,
      h("div", { class: "actions" },
        h("button", { type: "button", class: "button button-secondary", onclick: () => this.on.onUse(job) }, "Back to these settings"),
        h("a", { class: "button button-secondary", href: job.audio, download: "" }, icon("download"), "Download"),
        EXPORTS.map(([kind, text]) => h("a", { class: "text-button", href: job.notes[kind] }, text))),
      h("details", {}, h("summary", {}, "Description"), h("pre", { tabindex: "0" }, JSON.stringify(job.description, null, 1))),
    ];
  }
}

/** Chords, four bars to a line. */
function chart(bars) {
  const cells = bars.map((chords) => chords.join(" "));
  const width = Math.max(...cells.map((cell) => cell.length));
  const lines = [];
  for (let at = 0; at < cells.length; at += 4) lines.push(`| ${cells.slice(at, at + 4).map((cell) => cell.padEnd(width)).join(" | ")} |`);
  return lines.join("\n");
}

function silenceOthers(player) {
  for (const other of document.querySelectorAll("audio")) if (other !== player) other.pause();
}

async function main() {
  const list = document.getElementById("takes");
  const problem = document.getElementById("problem");
  const onProblem = (text) => {
    problem.textContent = text;
    problem.hidden = !text;
  };
  let desk;
  const add = (job, atTop) => {
    const take = new Take(job, {
      onProblem,
      onDone: (done) => desk.played(done.played),
      onUse: (used) => {
        desk.words.value = used.text;
        desk.fill(used.features);
        desk.seed = used.seed;
        desk.played(used.played ?? {});
        desk.words.focus();
      },
    });
    if (atTop) list.prepend(take.card);
    else list.append(take.card);
    document.getElementById("empty").hidden = true;
  };
  try {
    desk = new Desk(document.getElementById("desk"), await call("GET", "/schema"), async (wish) => {
      onProblem("");
      try {
        const job = await call("POST", "/jobs", wish);
        desk.seed = job.seed;
        add(job, true);
      } catch (error) {
        onProblem(error.message);
      }
    });
    for (const job of await call("GET", "/jobs")) add(job, false);
  } catch (error) {
    onProblem(error.message);
  }
}

main();
