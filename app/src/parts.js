// Keeps parts of the page as the server draws them, and sends what their buttons, forms and drop boxes ask for.
// What only the server knows needs no second copy of its rules in the browser.
//
//   <div data-part="/parts/…">           what the address answers is put in here while it can be seen; with data-once,
//                                        again only when the address has changed
//   data-ask="PUT /api/…" data-body="…"  a button or a form; a form without a body sends its fields as JSON
//   data-to="POST /api/…"                where a form goes by this button
//   data-topic … data-wrong              where an answer that refuses is shown
import { patch } from "./paint.js";

const SOON_MS = 250;
const OFTEN_MS = 1_000;
const SELDOM_MS = 4_000;
const LONGEST_MS = 15_000;
const DEADLINE_MS = 8_000;

const NAME_MAX = 40;
// Controls, and what turns around the words after it.
const HIDDEN = /[\p{Cc}\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu;

const cookie = (name) => document.cookie.match(new RegExp(`(?:^|; )${name}=([^;]+)`))?.[1];
const remember = (name, value) => {
  document.cookie = `${name}=${value}; path=/; max-age=31536000; samesite=lax`;
};
// By this the others tell one browser from the next; it says nothing else.
if (!cookie("browser")) {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  remember("browser", [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join(""));
}

const cleaned = (text) => [...text.replace(HIDDEN, "").trim()].slice(0, NAME_MAX).join("");

/** The name that the reader goes by; empty if they gave none. Another program's cookie may have the same name. */
function nameOf() {
  try {
    return cleaned(decodeURIComponent(cookie("name") ?? ""));
  } catch {
    return "";
  }
}

/** Keeps the name that stands in the field. */
function rename(field) {
  field.value = cleaned(field.value);
  remember("name", encodeURIComponent(field.value));
}

/** Says who asks. */
function actor() {
  const name = nameOf();
  return name ? { "x-skuflow-actor": encodeURIComponent(name) } : {};
}

const REPLAY = "This is a saved run. Go back to the live system to change it.";

const isShown = (part) => !part.closest("details:not([open])");
const drawn = new WeakMap();
const asked = new WeakMap();

/** An answer that refuses, in the server's own words (RFC 9457). */
async function problem(answer) {
  const text = await answer.text();
  try {
    return new Error(JSON.parse(text).detail);
  } catch {
    return new Error(`The server answered ${answer.status} ${answer.statusText}.`);
  }
}

/** The server begins with the field that it is about; people see that field. */
function kindly(words) {
  const rest = words.replace(/^[\w.[\]]+: /, "");
  return rest[0].toUpperCase() + rest.slice(1);
}

async function call(path, options) {
  let answer;
  try {
    answer = await fetch(path, { signal: AbortSignal.timeout(DEADLINE_MS), ...options });
  } catch {
    throw new Error("The server cannot be reached. Trying again.");
  }
  if (!answer.ok) throw await problem(answer);
  return answer.text();
}

/** What stands in a form, as JSON: numbers as numbers, `name[]` as a list, and nothing for an empty field. */
function fieldsOf(form, submitter) {
  const body = {};
  for (const [name, text] of new FormData(form, submitter)) {
    const field = form.elements[name];
    if (name.endsWith("[]")) (body[name.slice(0, -2)] ??= []).push(text);
    else if (field?.dataset?.log !== undefined) body[name] = Number((10 ** text).toPrecision(2));
    else if (text === "" && field.type !== "textarea") continue;
    else body[name] = field?.type === "number" ? Number(text) : text;
  }
  return body;
}

export function keep(host) {
  let wait = OFTEN_MS;
  let timer;
  let due = 0;
  let notBefore = 0;
  let isBusy = false;
  let settings = Promise.resolve();

  // A saved run is looked at; the real system behind it is not to be changed by mistake.
  const isReplay = () => host.querySelector('main[data-connection="replay"]') !== null;
  const placeFor = (from) => (from.closest("[data-topic]") ?? host).querySelector("[data-wrong]");

  function say(place, words, isDone = false) {
    if (!place) return;
    place.className = isDone ? "notice notice-done" : "field-error";
    place.textContent = words;
  }

  function later(ms) {
    clearTimeout(timer);
    due = performance.now() + ms;
    timer = setTimeout(round, ms);
  }

  /** Draws every part that can be seen anew, and waits the longer the less there is to tell. */
  async function round() {
    if (isBusy) return later(SOON_MS);
    if (document.hidden) return later(SELDOM_MS);
    isBusy = true;
    let isNew = false;
    let hasFailed = false;
    for (const part of [...host.querySelectorAll("[data-part]")].filter(isShown)) {
      const place = part.nextElementSibling;
      const path = part.dataset.part;
      if ("once" in part.dataset && asked.get(part) === path) continue;
      try {
        const html = await call(path);
        asked.set(part, path);
        if (drawn.get(part) !== html) {
          const topic = part.contains(document.activeElement) && part.closest("[data-topic]");
          drawn.set(part, html);
          patch(part, html);
          isNew = true;
          // What had the focus may be gone; its place is not.
          if (topic && document.activeElement === document.body) topic.querySelector("summary, button")?.focus();
        }
        part.removeAttribute("aria-busy");
        if (part.dataset.trouble) say(place, "");
        delete part.dataset.trouble;
      } catch (error) {
        hasFailed = true;
        part.dataset.trouble = "true";
        say(place, error.message);
      }
    }
    isBusy = false;
    wait = hasFailed ? Math.min(wait * 2, LONGEST_MS) : isNew ? OFTEN_MS : Math.min(wait * 1.5, SELDOM_MS);
    notBefore = performance.now() + (isNew ? SOON_MS : OFTEN_MS);
    later(wait);
  }

  function soon() {
    wait = OFTEN_MS;
    later(SOON_MS);
  }

  async function ask(from, body) {
    if (isReplay()) return say(placeFor(from), REPLAY);
    if (from.dataset.confirm && !confirm(from.dataset.confirm)) return;
    if (from.getAttribute("aria-busy")) return;
    const [method, path] = from.dataset.ask.split(" ");
    const place = placeFor(from);
    const fields = from.tagName === "FORM" ? [...from.elements].filter((field) => field.name) : [];
    from.setAttribute("aria-busy", "true");
    try {
      const headers = { ...actor(), ...(body && { "content-type": "application/json" }) };
      await call(path, { method, body, headers });
      for (const field of fields) field.removeAttribute("aria-invalid");
      if (from.dataset.done) from.reset();
      say(place, from.dataset.done ?? "", Boolean(from.dataset.done));
      isBusy = false;
      later(0);
    } catch (error) {
      say(place, kindly(error.message));
      // The words name the field that they are about.
      const wrong = fields.filter((field) => new RegExp(`\\b${field.name}\\b`).test(error.message.split(":")[0]));
      for (const field of fields) field.toggleAttribute("aria-invalid", wrong.includes(field));
      for (const field of wrong) field.setAttribute("aria-invalid", "true");
      wrong[0]?.focus();
      soon();
    }
    from.removeAttribute("aria-busy");
  }

  async function upload(box, files) {
    const place = placeFor(box);
    if (isReplay()) return say(place, REPLAY);
    for (const file of files) {
      say(place, `Sending ${file.name} by FTP…`, true);
      try {
        const name = encodeURIComponent(file.name);
        await call(`/api/files/${name}`, { method: "POST", body: file, signal: AbortSignal.timeout(600_000) });
        say(place, `${file.name} is in the drop box.`, true);
      } catch (error) {
        say(place, error.message);
      }
    }
    soon();
  }

  const press = (event) => {
    const button = event.target.closest("[data-ask]:not(form)");
    // What was set before it comes first.
    if (button && !button.disabled) settings.then(() => ask(button, button.dataset.body));
  };
  host.addEventListener("click", press);
  host.addEventListener("keydown", (event) => {
    // Space pauses, unless the keyboard's short ways are off.
    if (event.key !== "Enter" && !(event.key === " " && /\bkeys=off\b/.test(document.cookie))) return;
    // Of a real button the browser makes a click itself.
    if (event.target instanceof SVGElement && event.target.closest("[data-ask]")) {
      event.preventDefault();
      press(event);
    }
  });
  host.addEventListener("submit", (event) => {
    const form = event.target.closest("form[data-ask]");
    if (!form) return;
    event.preventDefault();
    if (event.submitter?.dataset.to) form.dataset.ask = event.submitter.dataset.to;
    if (event.submitter?.dataset.done) form.dataset.done = event.submitter.dataset.done;
    const body = JSON.stringify(fieldsOf(form, event.submitter));
    settings.then(() => ask(form, body));
  });
  host.addEventListener("change", (event) => {
    const field = event.target;
    if (field.dataset.name !== undefined) {
      rename(field);
    } else if (field.type === "file") {
      upload(field, [...field.files]);
      field.value = "";
    } else if (field.dataset.now !== undefined) {
      const whole = fieldsOf(field.form);
      const body = JSON.stringify({ [field.name]: whole[field.name] });
      // One after the other: what is changed while another is on its way must not be lost.
      settings = settings.then(() => ask(field.form, body));
    }
  });
  host.addEventListener("input", (event) => {
    const shown = event.target.dataset?.log !== undefined && event.target.parentElement.querySelector("output");
    if (shown) shown.textContent = `${Number((10 ** event.target.value).toPrecision(2))} a second`;
  });
  for (const name of ["dragover", "dragleave", "drop"]) {
    host.addEventListener(name, (event) => {
      const box = event.target.closest("[data-drop]");
      if (!box) return;
      event.preventDefault();
      box.toggleAttribute("data-over", name === "dragover");
      if (name === "drop") upload(box, [...event.dataTransfer.files]);
    });
  }
  // What is selected may have a part of its own.
  const inspector = host.querySelector(".inspector");
  const isNew = () => inspector.querySelector("[data-part][aria-busy]") && hurry();
  if (inspector) new MutationObserver(isNew).observe(inspector, { childList: true, subtree: true });
  // A topic that is opened wants its part, and so does every part when something has happened.
  host.addEventListener("toggle", soon, true);
  for (const field of host.querySelectorAll("[data-name]")) field.value = nameOf();
  for (const fields of host.querySelectorAll("[data-until-ready]")) fields.disabled = false;
  const main = host.querySelector("main");
  // Where something happens all the time, waiting for a pause would be waiting for ever; but most of it changes no part.
  const hurry = () => {
    const ms = Math.max(SOON_MS, notBefore - performance.now());
    if (due > performance.now() + ms) later(ms);
  };
  if (main) new MutationObserver(hurry).observe(main, { attributeFilter: ["data-seq"] });
  const room = host.querySelector(".room");
  const hold = () => (room.inert = isReplay());
  if (main && room) new MutationObserver(hold).observe(main, { attributeFilter: ["data-connection"] });
  later(0);
}
