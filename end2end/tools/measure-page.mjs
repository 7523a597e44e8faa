// Measures the lab in Chromium while the simulator brings arrivals: frames, how busy the main thread is, memory, and
// whether an event was lost. It says too how busy each process was, since all of them share the machine.
// Use: node tools/measure-page.mjs BINARY [--minutes 10] [--rate 500] [--style choreography] [--view log] [--profile N]
//   --profile N   also sample the main thread for N seconds, and list where it spends them

import { readFileSync, readdirSync } from "node:fs";
import { cpus } from "node:os";
import { parseArgs } from "node:util";
import { launch } from "./bare-chromium.mjs";
import { start } from "./program.mjs";

const { values: asked, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    minutes: { type: "string", default: "10" },
    rate: { type: "string", default: "500" },
    style: { type: "string", default: "choreography" },
    view: { type: "string", default: "log" },
    profile: { type: "string" },
  },
});
const [binary = "../target/release/skuflow"] = positionals;
const [minutes, rate, style] = [Number(asked.minutes), Number(asked.rate), asked.style];
const TICKS_PER_S = 100;
const WARM_UP_S = 10;
const SLOW_FRAME_MS = 20;
/** Memory that grows by less than this from the third quarter of the time to the last is flat. */
const FLAT = 0.05;
const BUDGET = { fps: 60, busy: 0.5 };

const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
const mean = (list) => list.reduce((sum, one) => sum + one, 0) / list.length;
const median = (list) => list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)];
const percent = (share) => `${(share * 100).toFixed(1)} %`;
const mb = (bytes) => `${(bytes / 2 ** 20).toFixed(1)} MB`;
const report = (what, value) => console.log(`  ${what.padEnd(46)} ${value}`);

// --- the server ------------------------------------------------------------------------------------------------

const server = await start(binary);
const { url, call } = server;
const journal = () => call("GET", "/api/journal?limit=1");
const simulator = (wanted) => call("PUT", "/api/simulator", wanted);

// --- what runs in the page -------------------------------------------------------------------------------------

/** Counts frames and what the stream brings; both cost next to nothing. */
function watch() {
  const seen = { frames: [], batches: [], resets: 0, events: 0, summarised: 0, gaps: 0, last: 0, memory: undefined };
  globalThis.seen = seen;
  const frame = (now) => {
    seen.frames.push(now);
    requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
  const count = (text, what) => {
    let found = 0;
    for (let at = text.indexOf(what); at >= 0; at = text.indexOf(what, at + what.length)) found += 1;
    return found;
  };
  globalThis.EventSource = class extends EventSource {
    constructor(path) {
      super(path);
      const after = Number(new URL(path, location.href).searchParams.get("after"));
      if (seen.last === 0) seen.last = after;
      this.addEventListener("reset", () => (seen.resets += 1));
      this.addEventListener("journal", ({ data, lastEventId }) => {
        const first = Number(data.slice(8, 24).match(/\d+/)?.[0]);
        const events = count(data, '{"seq":');
        if (first !== seen.last + 1 || Number(lastEventId) - first + 1 !== events) seen.gaps += 1;
        seen.last = Number(lastEventId);
        seen.events += events;
        for (const [, more] of data.matchAll(/"summarised":(\d+)/g)) seen.summarised += Number(more);
      });
    }
  };
  for (const name of ["instantiate", "instantiateStreaming"]) {
    const real = WebAssembly[name].bind(WebAssembly);
    WebAssembly[name] = async (...args) => {
      const made = await real(...args);
      seen.memory ??= (made.instance ?? made).exports.memory;
      return made;
    };
  }
}

// --- processes -------------------------------------------------------------------------------------------------

/** Name, parent and ticks of a process or thread, out of its `stat` file. */
function stat(path) {
  try {
    const text = readFileSync(path, "utf8");
    const rest = text.slice(text.lastIndexOf(")") + 2).split(" ");
    return { name: text.slice(text.indexOf("(") + 1, text.lastIndexOf(")")), parent: Number(rest[1]), ticks: Number(rest[11]) + Number(rest[12]) };
  } catch {
    return undefined;
  }
}

/** What each process used so far: the server, this script, and each kind of Chromium's. */
function used() {
  const all = new Map(readdirSync("/proc").filter((name) => /^\d+$/.test(name)).map((pid) => [Number(pid), stat(`/proc/${pid}/stat`)]));
  const isOurs = (pid) => pid === process.pid || (all.get(pid)?.parent > 1 && isOurs(all.get(pid).parent));
  const sums = {};
  for (const [pid, process_] of all) {
    if (!process_ || !isOurs(pid)) continue;
    const command = (() => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, "utf8");
      } catch {
        return "";
      }
    })();
    const kind = command.match(/--type=(\S+?)[\0 ]/)?.[1];
    const utility = command.match(/--utility-sub-type=([a-z_]+)/)?.[1];
    const name =
      pid === server.pid ? "server" : pid === process.pid ? "this script" : kind ? `Chromium: ${utility ?? kind}` : "Chromium: browser";
    sums[name] = (sums[name] ?? 0) + process_.ticks;
    if (kind !== "renderer") continue;
    for (const thread of readdirSync(`/proc/${pid}/task`)) {
      const one = stat(`/proc/${pid}/task/${thread}/stat`);
      if (one && Number(thread) === pid) sums["  of it the main thread"] = (sums["  of it the main thread"] ?? 0) + one.ticks;
    }
  }
  return sums;
}

// --- the measurement -------------------------------------------------------------------------------------------

const page = await launch({
  width: 1280,
  height: 800,
  flags: ["--disable-gpu", "--disable-dev-shm-usage", "--js-flags=--expose-gc"],
});

function frames(times) {
  const gaps = times.slice(1).map((at, n) => at - times[n]);
  const slowest = gaps.toSorted((a, b) => b - a).slice(0, Math.max(1, Math.round(gaps.length / 100)));
  const fps = 1000 / mean(gaps);
  report("frames per second, mean", fps.toFixed(1));
  report("frames per second, the slowest 1 %", (1000 / mean(slowest)).toFixed(1));
  report(`frames over ${SLOW_FRAME_MS} ms`, percent(gaps.filter((gap) => gap > SLOW_FRAME_MS).length / gaps.length));
  report("longest frame", `${slowest[0].toFixed(0)} ms`);
  return fps;
}

async function measure() {
  const trouble = [];
  page.on("Runtime.exceptionThrown", ({ exceptionDetails: { exception, text } }) => trouble.push(exception?.description ?? text));
  await page.atStart(watch);
  await page.send("Performance.enable", { timeDomain: "timeTicks" });
  const metrics = async () => Object.fromEntries((await page.send("Performance.getMetrics")).metrics.map(({ name, value }) => [name, value]));
  const takeFrames = () => page.evaluate(() => globalThis.seen.frames.splice(0));

  await page.goto(`${url}/lab/${style}?view=${asked.view}`);
  await page.until(`!!document.querySelector('html[data-hydrated] main[data-connection="live"]')`);
  await sleep(2_000);
  await takeFrames();
  await sleep(3_000);
  console.log(`\nat rest, for 3 s, on ${cpus().length} cores`);
  frames(await takeFrames());

  await simulator({ preset: "quiet_tuesday", style, rate_per_s: rate, sales_per_s: 0, count: 0, state: "running" });
  await sleep(WARM_UP_S * 1000);
  await takeFrames();
  const profileS = Number(asked.profile ?? 0);
  if (profileS) await profile(profileS);
  await takeFrames();

  const samples = [];
  const sample = async () => {
    await page.send("HeapProfiler.collectGarbage");
    const now = await metrics();
    const wasm = await page.evaluate(() => globalThis.seen.memory?.buffer.byteLength ?? 0);
    samples.push({ heap: now.JSHeapUsedSize, wasm, nodes: now.Nodes, listeners: now.JSEventListeners });
  };
  const times = [];
  let isBehind = 0;
  const begin = { at: performance.now(), used: used(), metrics: await metrics(), journal: await journal(), simulator: await call("GET", "/api/simulator") };
  const rounds = Math.max(8, Math.round(minutes * 2));
  const end = {};
  let collecting = 0;
  for (let round = 1; round <= rounds; round += 1) {
    await sleep(Math.max(0, begin.at + (round * minutes * 60_000) / rounds - performance.now()));
    times.push(await takeFrames());
    isBehind += await page.evaluate(() => Number(document.body.innerText.includes("showing rates")));
    if (round === rounds) {
      Object.assign(end, { at: performance.now(), used: used(), metrics: await metrics(), journal: await journal(), simulator: await call("GET", "/api/simulator") });
    }
    // Collecting garbage by force stops the page; that is ours, not the page's.
    const before = (await metrics()).TaskDuration;
    await sample();
    if (round < rounds) collecting += (await metrics()).TaskDuration - before;
    await takeFrames();
  }
  const seconds = (end.at - begin.at) / 1000;

  console.log(`\n${rate} arrivals/s wanted in ${style}, ${asked.view} open, for ${(seconds / 60).toFixed(1)} min`);
  report("arrivals per second, really", ((end.simulator.arrivals - begin.simulator.arrivals) / seconds).toFixed(1));
  if (end.simulator.note) report("the simulator says", end.simulator.note);
  report("events per second, really", ((end.journal.last - begin.journal.last) / seconds).toFixed(0));
  const fps = frames(joined(times));
  const busy = (end.metrics.TaskDuration - begin.metrics.TaskDuration - collecting) / seconds;
  const share = (name) => percent((end.metrics[name] - begin.metrics[name]) / seconds);
  report("main thread busy", percent(busy));
  report("  of it script, layout, style", `${share("ScriptDuration")}, ${share("LayoutDuration")}, ${share("RecalcStyleDuration")}`);
  report("the page said that it shows rates", `${isBehind} of ${rounds} times`);

  console.log("\nwho was busy (of one core)");
  for (const name of Object.keys(end.used)) report(name, percent((end.used[name] - (begin.used[name] ?? 0)) / TICKS_PER_S / seconds));

  console.log("\nmemory, after collecting garbage");
  samples.forEach(({ heap, wasm, nodes, listeners }, n) =>
    report(`after ${(((n + 1) * minutes) / rounds).toFixed(1)} min`, `JS ${mb(heap)}, WASM ${mb(wasm)}, ${nodes} nodes, ${listeners} listeners`),
  );
  // Rows and tokens come and go, so that no single sample says anything.
  const quarter = Math.floor(rounds / 4);
  const growth = (of) => median(samples.slice(-quarter).map(of)) / median(samples.slice(-2 * quarter, -quarter).map(of)) - 1;
  const grown = Object.fromEntries(["heap", "wasm", "nodes"].map((name) => [name, growth((one) => one[name])]));
  report("from the third quarter to the last", Object.entries(grown).map(([name, by]) => `${name} ${percent(by)}`).join(", "));

  await simulator({ state: "stopped" });
  const { last, seen, folded } = await settle();
  console.log("\nevents");
  report("the journal's last", last);
  report("the page's last", seen.last);
  report("received by the page", `${seen.events}, with ${seen.gaps} gaps and ${seen.resets} resets`);
  report("summarised by the server", seen.summarised);
  report("copies routed: page's own fold, server's", folded.join(", "));
  for (const line of trouble) report("the page complains", line);

  const verdicts = {
    [`${BUDGET.fps} fps`]: fps > BUDGET.fps * 0.97,
    "main thread at most half busy": busy <= BUDGET.busy,
    "no event lost": seen.gaps === 0 && seen.resets === 0 && seen.last === last && folded[0] === folded[1] && trouble.length === 0,
    "memory flat": Object.values(grown).every((by) => by < FLAT),
  };
  console.log("\nbudget");
  for (const [what, holds] of Object.entries(verdicts)) report(what, holds ? "yes" : "NO");
  return Object.values(verdicts).every(Boolean);
}

/** The frames of all stretches in a row, without what was between them. */
function joined(stretches) {
  let at = 0;
  const all = [0];
  for (const times of stretches) {
    for (let n = 1; n < times.length; n += 1) all.push((at += times[n] - times[n - 1]));
  }
  return all;
}

/** Waits until nothing is under way any more, and compares what the page made of it all with the server's own word. */
async function settle() {
  let last = 0;
  for (const deadline = performance.now() + 120_000; performance.now() < deadline; await sleep(500)) {
    last = (await journal()).last;
    const [shown, isSettled] = await page.evaluate(() => {
      const { seq, settled } = document.querySelector("main").dataset;
      return [Number(seq), settled === "true"];
    });
    if (shown === last && isSettled && (await journal()).last === last) break;
  }
  const seen = await page.evaluate(() => ({ ...globalThis.seen, frames: undefined, memory: undefined }));
  const picture = await call("GET", "/api/journal/picture");
  await page.evaluate(() => document.querySelector('[data-role="exchange"]').dispatchEvent(new MouseEvent("click", { bubbles: true })));
  const routed = `[...document.querySelectorAll(".inspector dt")].find((dt) => dt.textContent === "routed, all")?.nextElementSibling.textContent`;
  await page.until(`!!${routed}`);
  return { last, seen, folded: [Number(await page.evaluate(routed)), picture[style].routed] };
}

/** Where the main thread spends its time, by function. */
async function profile(seconds) {
  await page.send("Profiler.enable");
  await page.send("Profiler.setSamplingInterval", { interval: 500 });
  await page.send("Profiler.start");
  await sleep(seconds * 1000);
  const { profile } = await page.send("Profiler.stop");
  const nodes = new Map(profile.nodes.map((node) => [node.id, node]));
  const parents = new Map(profile.nodes.flatMap((node) => (node.children ?? []).map((child) => [child, node.id])));
  const self = new Map();
  const whole = new Map();
  const add = (map, name, us) => map.set(name, (map.get(name) ?? 0) + us);
  profile.samples.forEach((id, n) => {
    const us = profile.timeDeltas[n];
    const name = (of) => nodes.get(of).callFrame.functionName || `(${nodes.get(of).callFrame.url.split("/").at(-1)}:${nodes.get(of).callFrame.lineNumber})`;
    add(self, name(id), us);
    const on = new Set();
    for (let at = id; at !== undefined; at = parents.get(at)) on.add(name(at));
    for (const one of on) add(whole, one, us);
  });
  for (const [title, map] of [["itself", self], ["with what it calls", whole]]) {
    console.log(`\nwhere the main thread was, ${title}`);
    for (const [name, us] of [...map].sort((a, b) => b[1] - a[1]).slice(0, 40)) {
      console.log(`  ${percent(us / 1e6 / seconds).padStart(7)}  ${name.slice(0, 120)}`);
    }
  }
}

let holds = false;
try {
  holds = await measure();
} finally {
  await page.close();
  await server.end();
}
process.exit(holds ? 0 : 1);
