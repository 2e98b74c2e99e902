/** The page's only way to the playground server: HTTP calls and one live WebSocket. */

const BASE = "/playground/api";
const LOOPBACK = new Set(["127.0.0.1", "localhost", "0.0.0.0", "[::1]"]);

/** The server said no; `message` is a sentence that can be shown. */
export class ApiError extends Error {
  constructor(message, status) {
    super(message);
    this.status = status;
  }
}

async function call(method, path, { query, body, files } = {}) {
  const url = new URL(BASE + path, location.origin);
  for (const [key, value] of Object.entries(query ?? {})) {
    if (value !== null && value !== undefined) url.searchParams.set(key, value);
  }
  const request = { method };
  if (files?.length) {
    request.body = new FormData();
    request.body.append("payload_json", JSON.stringify(body));
    files.forEach((file, index) => request.body.append(`files[${index}]`, file, file.name));
  } else if (body !== undefined) {
    request.body = JSON.stringify(body);
    request.headers = { "Content-Type": "application/json" };
  }
  let response;
  try {
    response = await fetch(url, request);
  } catch {
    throw new ApiError("The playground did not answer. Is it still running?", 0);
  }
  return read(response);
}

async function read(response) {
  const text = await response.text();
  let data = null;
  try {
    data = text ? JSON.parse(text) : null;
  } catch {
    data = null;
  }
  if (response.ok) return data;
  const said = data?.message ?? data?.error;
  throw new ApiError(typeof said === "string" ? said : `The playground refused this (${response.status}).`, response.status);
}

export const api = {
  state: (user) => call("GET", "/state", { query: { user } }),
  messages: (user, channel, { before, limit = 50 } = {}) =>
    call("GET", "/messages", { query: { user, channel, before, limit } }),
  send: (body, files) => call("POST", "/messages", { body, files }),
  click: (body) => call("POST", "/click", { body }),
  command: (body, files) => call("POST", "/command", { body, files }),
  autocomplete: (body) => call("POST", "/autocomplete", { body }),
  modal: (body, files) => call("POST", "/modal", { body, files }),
  react: (body) => call("PUT", "/reactions", { body }),
  unreact: (body) => call("DELETE", "/reactions", { body }),
  remove: (body) => call("DELETE", "/messages", { body }),
  startThread: (body) => call("POST", "/threads", { body }),
  dm: (user) => call("POST", "/dm", { body: { user } }),
  listeners: () => call("GET", "/listeners"),
  addListeners: (count, seed) => call("POST", "/listeners", { body: { count, seed } }),
  reveal: (user) => call("POST", "/listeners/reveal", { body: { user } }),
  removeListeners: () => call("DELETE", "/listeners"),
};

/**
 * An address that this page may load, or null.
 *
 * The server writes absolute loopback addresses; the page may have been opened under another name
 * for the same machine, so those are taken from the page's own origin.
 */
export function localUrl(address) {
  let url;
  try {
    url = new URL(address, location.origin);
  } catch {
    return null;
  }
  if (!/^https?:$/.test(url.protocol)) return null;
  if (LOOPBACK.has(url.hostname) || url.origin === location.origin) {
    return location.origin + url.pathname + url.search;
  }
  return null;
}

/** An address that may be put into a link, or null (only http and https). */
export function safeLink(address) {
  try {
    const url = new URL(address);
    return /^https?:$/.test(url.protocol) ? url.href : null;
  } catch {
    return null;
  }
}

/** The live events of one person, with reconnects. `onEvent(t, d)`, `onOpen()`, `onDown()`. */
export class Live {
  #socket = null;
  #timer = 0;
  #attempt = 0;

  constructor({ onEvent, onOpen, onDown }) {
    this.onEvent = onEvent;
    this.onOpen = onOpen;
    this.onDown = onDown;
  }

  open(user) {
    this.close();
    const url = new URL(`${BASE}/events`, location.origin);
    url.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    url.searchParams.set("user", user);
    const socket = new WebSocket(url);
    this.#socket = socket;
    socket.addEventListener("open", () => {
      this.#attempt = 0;
      if (socket === this.#socket) this.onOpen();
    });
    socket.addEventListener("message", (message) => {
      if (socket !== this.#socket) return;
      const { t, d } = JSON.parse(message.data);
      this.onEvent(t, d);
    });
    socket.addEventListener("close", () => {
      if (socket !== this.#socket) return;
      this.onDown();
      this.#attempt += 1;
      const wait = Math.min(8000, 250 * 2 ** this.#attempt) * (0.7 + 0.6 * Math.random());
      this.#timer = setTimeout(() => this.open(user), wait);
    });
  }

  close() {
    clearTimeout(this.#timer);
    const socket = this.#socket;
    this.#socket = null;
    socket?.close();
  }
}
