// Measures the release build against its budgets: start, memory, time from arrival to last effect, and throughput.
// Use: node tools/bench.mjs BINARY [BROKER]     BROKER is what `--broker` takes; the embedded one by default.

import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";

const [binary, broker = "embedded"] = process.argv.slice(2);
const ROOT = resolve(import.meta.dirname, "../..");
const STEADY_PER_S = 100;
const STEADY_S = 5;
const BURST = 1000;

const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
const data = mkdtempSync(join(tmpdir(), "skuflow-bench-"));
const started = performance.now();
const server = spawn(resolve(binary), ["serve", "--addr", "127.0.0.1:0", "--data", data, "--broker", broker], {
  cwd: ROOT,
  stdio: ["ignore", "pipe", "inherit"],
});
const ended = new Promise((done) => server.once("exit", done));

const url = await new Promise((listening, failed) => {
  server.once("exit", (code) => failed(new Error(`skuflow ended with ${code}`)));
  createInterface({ input: server.stdout }).on("line", (line) => {
    const found = line.match(/^listening on (\S+)/)?.[1];
    if (found) listening(found);
  });
});

async function call(path, body) {
  const init = body && { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
  const response = await fetch(url + path, init);
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return response.json();
}

const last = async () => (await call("/api/journal?limit=1")).last;

/** Every journal event after `seq`, once each of `ids` has had its three messages acked. */
async function settled(ids, seq) {
  const acks = new Map(ids.map((id) => [id, 0]));
  const events = [];
  let open = ids.length;
  for (const deadline = performance.now() + 60_000; open > 0; ) {
    if (performance.now() > deadline) throw new Error(`${open} arrivals did not settle within a minute`);
    const page = (await call(`/api/journal?after=${seq}&limit=5000`)).events;
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

function quantile(sorted, q) {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))];
}

const report = (what, value) => console.log(`  ${what.padEnd(52)} ${value}`);
const arrival = (n) => ({ sku: `BENCH-${n % 50}`, quantity: 1, style: "choreography" });

try {
  console.log(`choreography, ${broker.replace(/\/\/.*@/, "//")}`);
  while (!(await fetch(`${url}/readyz`)).ok) await sleep(2);
  report("start to /readyz", `${(performance.now() - started).toFixed(0)} ms`);
  await sleep(1000);
  const rss = readFileSync(`/proc/${server.pid}/status`, "utf8").match(/VmRSS:\s+(\d+)/)?.[1];
  report("resident memory, idle", `${(rss / 1024).toFixed(0)} MB`);

  let seq = await last();
  const ids = [];
  for (let n = 0; n < STEADY_PER_S * STEADY_S; n++) {
    const due = performance.now() + 1000 / STEADY_PER_S;
    ids.push((await call("/api/arrivals", arrival(n))).arrivals[0].id);
    await sleep(Math.max(0, due - performance.now()));
  }
  const first = new Map();
  const final = new Map();
  for (const { correlation_id: id, kind, at_us } of await settled(ids, seq)) {
    if (kind === "arrival_received") first.set(id, at_us);
    if (kind === "acked") final.set(id, Math.max(at_us, final.get(id) ?? 0));
  }
  const times = ids.map((id) => (final.get(id) - first.get(id)) / 1000).sort((a, b) => a - b);
  report(`arrival to last ack at about ${STEADY_PER_S}/s, p50`, `${quantile(times, 0.5).toFixed(2)} ms`);
  report(`arrival to last ack at about ${STEADY_PER_S}/s, p99`, `${quantile(times, 0.99).toFixed(2)} ms`);

  seq = await last();
  const burst = (await call("/api/arrivals", Array.from({ length: BURST }, (_, n) => arrival(n)))).arrivals;
  const events = await settled(burst.map(({ id }) => id), seq);
  const took = (events.at(-1).at_us - events[0].at_us) / 1e6;
  report(`${BURST} arrivals in one request, all three handlers`, `${(BURST / took).toFixed(0)} arrivals/s`);
} finally {
  server.removeAllListeners("exit");
  server.kill("SIGTERM");
  await ended;
  rmSync(data, { recursive: true, force: true });
}
