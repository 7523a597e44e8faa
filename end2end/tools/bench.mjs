// Measures the release build against its budgets: start, memory, time from arrival to last effect, and throughput.
// Use: node tools/bench.mjs BINARY [BROKER]     BROKER is what `--broker` takes; the embedded one by default.

import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { promisify } from "node:util";
import { start } from "./program.mjs";

const [binary, broker = "embedded"] = process.argv.slice(2);
const STEADY_PER_S = 100;
const STEADY_S = 5;
// A client that is not ours, to send what strangers send.
const PYTHON = process.env.SKUFLOW_TEST_PYTHON;
// Sustained: so many arrivals, in requests of so many each, two requests at a time.
const MANY = 20_000;
const PER_REQUEST = 250;

const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
const started = performance.now();
const server = await start(binary, ["--broker", broker]);
const get = (path) => server.call("GET", path);
const send = async (arrivals) => (await server.call("POST", "/api/arrivals", arrivals)).arrivals;

const last = async () => (await get("/api/journal?limit=1")).last;

/** Every journal event after `seq`, once each of `ids` has had its three messages acked. */
async function settled(ids, seq) {
  const acks = new Map(ids.map((id) => [id, 0]));
  const events = [];
  let open = ids.length;
  for (const deadline = performance.now() + 60_000; open > 0; ) {
    if (performance.now() > deadline) throw new Error(`${open} arrivals did not settle within a minute`);
    const page = (await get(`/api/journal?after=${seq}&limit=5000`)).events;
    for (const event of page) {
      seq = event.seq;
      events.push(event);
      if (event.kind !== "acked" || !acks.has(event.correlation_id)) continue;
      acks.set(event.correlation_id, acks.get(event.correlation_id) + 1);
      if (acks.get(event.correlation_id) === 3) open -= 1;
    }
    if (page.length === 0) await sleep(5);
  }
  return events;
}

/** CPU time of the server so far, in milliseconds: user and system, in ticks of 10 ms (proc(5)). */
function cpuMs() {
  const fields = readFileSync(`/proc/${server.pid}/stat`, "utf8").split(") ")[1].split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

/** When every queue was empty for the first of several looks, with inventory and catalog agreeing about every SKU. */
async function allIsDone() {
  let quiet = 0;
  let done = 0;
  for (const deadline = performance.now() + 120_000; performance.now() < deadline; await sleep(20)) {
    const [stock, products, queues] = await Promise.all(
      ["inventory/skus", "catalog/products"].map((what) => get(`/api/choreography/${what}`)).concat(get("/api/queues")),
    );
    const known = new Map(products.map(({ sku, version }) => [sku, version]));
    const agree = stock.every(({ sku, version }) => known.get(sku) === version);
    if (!agree || queues.some(({ ready, unacked }) => ready + unacked > 0)) quiet = 0;
    else if (quiet++ === 0) done = performance.now();
    else if (quiet > 3) return done;
  }
  throw new Error("the arrivals did not settle within two minutes");
}

function quantile(sorted, q) {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))];
}

const report = (what, value) => console.log(`  ${what.padEnd(52)} ${value}`);
const arrival = (n) => ({ sku: `BENCH-${n % 50}`, quantity: 1, style: "choreography" });

try {
  console.log(`choreography, ${broker.replace(/\/\/.*@/, "//")}`);
  while (!(await fetch(`${server.url}/readyz`)).ok) await sleep(2);
  report("start to /readyz", `${(performance.now() - started).toFixed(0)} ms`);
  await sleep(1000);
  const rss = readFileSync(`/proc/${server.pid}/status`, "utf8").match(/VmRSS:\s+(\d+)/)?.[1];
  report("resident memory, idle", `${(rss / 1024).toFixed(0)} MB`);

  let seq = await last();
  const ids = [];
  for (let n = 0; n < STEADY_PER_S * STEADY_S; n++) {
    const due = performance.now() + 1000 / STEADY_PER_S;
    ids.push((await send(arrival(n)))[0].id);
    await sleep(Math.max(0, due - performance.now()));
  }
  const first = new Map();
  const final = { effect: new Map(), ack: new Map() };
  for (const { correlation_id: id, kind, at_us } of await settled(ids, seq)) {
    if (kind === "arrival_received") first.set(id, at_us);
    const last = { state_changed: final.effect, email_sent: final.effect, acked: final.ack }[kind];
    last?.set(id, Math.max(at_us, last.get(id) ?? 0));
  }
  for (const [what, lasts] of Object.entries(final)) {
    // What was overtaken by a newer arrival of the same SKU has no effect of its own.
    const times = ids.filter((id) => lasts.has(id)).map((id) => (lasts.get(id) - first.get(id)) / 1000);
    times.sort((a, b) => a - b);
    for (const [name, q] of [["p50", 0.5], ["p99", 0.99]])
      report(`arrival to last ${what} at about ${STEADY_PER_S}/s, ${name}`, `${quantile(times, q).toFixed(2)} ms`);
  }

  const [cpu, since] = [cpuMs(), performance.now()];
  const requests = Array.from({ length: MANY / PER_REQUEST }, (_, n) => n);
  const sender = async () => {
    for (let n; (n = requests.shift()) !== undefined; )
      await send(Array.from({ length: PER_REQUEST }, (_, at) => arrival(n * PER_REQUEST + at)));
  };
  await Promise.all([sender(), sender()]);
  const done = await allIsDone();
  report(`${MANY} arrivals, all three handlers`, `${((MANY / (done - since)) * 1000).toFixed(0)} arrivals/s`);
  const whose = broker === "embedded" ? "with the broker" : "broker not counted";
  report(`CPU per arrival, ${whose}`, `${((cpuMs() - cpu) / MANY).toFixed(3)} ms`);

  if (!PYTHON || !existsSync(PYTHON)) console.log("  messages of strangers: no Python with pika (end2end/tools/install.sh installs it)");
  else
    for (const kind of ["named", "nameless", "named", "nameless"]) {
      const begun = performance.now();
      const script = new URL("publish-many.py", import.meta.url).pathname;
      await promisify(execFile)(PYTHON, [script, broker === "embedded" ? server.broker : broker, MANY, kind]);
      const published = performance.now() - begun;
      const took = (await allIsDone()) - begun;
      const rate = `${((MANY / took) * 1000).toFixed(0)} messages/s (published within ${(published / 1000).toFixed(1)} s)`;
      report(`${MANY} ${kind} messages of a stranger`, rate);
    }
} finally {
  await server.end();
}
