// One tab reads the server's stream for all tabs of this browser: the one that has the lock. It passes on what it hears.
// A browser has six connections to a server, and each stream takes one of them for as long as it is open.
//
// A tab that nobody looks at lets go of its turn, so that no throttled or frozen tab reads for others. Where there are no
// locks or channels (an old browser, or plain HTTP from another machine), each tab that is looked at reads by itself.

const BEAT_MS = 5_000;
const SILENT_BEATS = 3;
const HIDDEN_MS = 10_000;

const encoder = new TextEncoder();
let room = new Uint8Array(0);
let channel;
let leave = () => {};
/** When another tab was last heard. */
let heardAt = -Infinity;

/** `lead(true)`: from now on this tab reads, until `lead(false)`. `hear(kind, text)`: what another tab says. */
export function join(name, lead, hear) {
  const locks = globalThis.BroadcastChannel && navigator.locks;
  let letGo;
  let isReading = false;
  let isOver = false;
  let silent = 0;
  let hiding;

  /** Waits for the turn to read, or takes it by force, and has it until `letGo`. */
  async function stand(byForce) {
    const end = new AbortController();
    letGo = () => end.abort();
    const turn = () =>
      new Promise((done) => {
        if (end.signal.aborted) return done();
        end.signal.addEventListener("abort", done);
        isReading = true;
        lead(true);
      });
    try {
      await (locks ? locks.request(name, byForce ? { steal: true } : { signal: end.signal }, turn) : turn());
    } catch {
      // It waits no longer, or has been robbed of its turn.
    }
    if (end.signal.aborted) return;
    stop();
    come();
  }

  function stop() {
    letGo?.();
    letGo = undefined;
    if (!isReading) return;
    isReading = false;
    lead(false);
  }

  function come() {
    clearTimeout(hiding);
    if (isOver || document.hidden) return;
    silent = 0;
    if (!letGo) stand(false);
    say("hello", "");
  }

  function turned() {
    clearTimeout(hiding);
    if (document.hidden) hiding = setTimeout(stop, HIDDEN_MS);
    else come();
  }

  leave = () => {
    isOver = true;
    stop();
    channel?.close();
    channel = undefined;
  };
  if (locks) {
    channel = new BroadcastChannel(name);
    channel.onmessage = ({ data: [kind, text] }) => {
      heardAt = performance.now();
      if (kind === "here") return;
      if (kind !== "hello") silent = 0;
      // Whoever reads passes nothing on unless it knows of another tab.
      if (kind === "standing" && !isReading) say("here", "");
      hear(kind, text);
    };
  }
  document.addEventListener("visibilitychange", turned);
  for (const event of ["freeze", "pagehide"]) addEventListener(event, stop, true);
  for (const event of ["resume", "pageshow"]) addEventListener(event, come, true);
  // The reading tab says how it stands; one that says nothing for long hangs, and another takes its turn.
  setInterval(() => {
    if (isReading) hear("hello", "");
    else if (letGo && (silent += 1) >= SILENT_BEATS) {
      stop();
      silent = 0;
      stand(true);
    }
  }, BEAT_MS);
  // One that was opened behind another is told by that one.
  if (document.hidden) say("hello", "");
  come();
}

/** Says something to all other tabs. */
export function say(kind, text) {
  channel?.postMessage([kind, text]);
}

/** Passes on what this tab reads, if another tab is there: to copy all of it for nobody is what costs most in a flood. */
export function passOn(text) {
  if (performance.now() - heardAt < SILENT_BEATS * BEAT_MS) say("journal", text);
}

/** A text as UTF-8, until the next call. The browser's own code does it many times faster than a loop over its letters. */
export function bytesOf(text) {
  const most = 3 * text.length;
  if (room.length < most) room = new Uint8Array(most);
  return room.subarray(0, encoder.encodeInto(text, room).written);
}

/** From now on this tab neither reads nor hears anything. */
export function part() {
  leave();
}
