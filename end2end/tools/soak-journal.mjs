// Fills the journal with many events, restarts the release build without mercy, and prints what it costs to start, to
// look at any place, and to take all of it along. Ends with an error when an event is missing.
// Use: node tools/soak-journal.mjs BINARY [EVENTS]     2,000,000 events by default.

import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { start } from "./program.mjs";

const [binary, wanted = "2000000"] = process.argv.slice(2);
const EVENTS = Number(wanted);
const PER_REQUEST = 500;

const data = mkdtempSync(join(tmpdir(), "skuflow-soak-journal-"));
const flags = ["--journal-keep-mb", "4096"];
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
const report = (what, value) => console.log(`  ${what.padEnd(52)} ${value}`);

async function timed(what, act) {
  const begun = performance.now();
  const result = await act();
  report(what, `${(performance.now() - begun).toFixed(1)} ms`);
  return result;
}

const memoryMb = ({ pid }) => Math.round(Number(readFileSync(`/proc/${pid}/status`, "utf8").match(/VmRSS:\s+(\d+)/)[1]) / 1024);

/** Starts it, and says after how long it was ready. */
async function begin() {
  const begun = performance.now();
  const server = await start(binary, flags, { kept: data });
  while (!(await fetch(`${server.url}/readyz`)).ok) await sleep(2);
  report("start to /readyz", `${(performance.now() - begun).toFixed(0)} ms, ${memoryMb(server)} MB`);
  return server;
}

let server = await begin();
try {
  const reach = async () => server.call("GET", "/api/journal?limit=1");
  for (let n = 0; (await reach()).last < EVENTS; n += PER_REQUEST) {
    const arrivals = Array.from({ length: PER_REQUEST }, (_, at) => ({ sku: `S-${(n + at) % 500}`, quantity: 1, style: "choreography" }));
    await server.call("POST", "/api/arrivals", arrivals);
  }
  // What is still on its way would be measured too.
  const busy = async () => (await server.call("GET", "/api/queues")).some(({ ready, unacked }) => ready + unacked > 0);
  for (let quiet = 0; quiet < 10; quiet = (await busy()) ? 0 : quiet + 1) await sleep(100);
  report("memory at the end of the load", `${memoryMb(server)} MB`);
  process.kill(server.pid, "SIGKILL");
  await sleep(500);
  server = await begin();
  const { first, last } = await reach();
  const files = readdirSync(join(data, "journal")).map((name) => statSync(join(data, "journal", name)).size);
  report("kept", `${last - first + 1} events in ${files.length} files of ${files.reduce((a, b) => a + b) >> 20} MB`);
  for (const share of [0, 0.25, 0.5, 0.75, 1]) {
    const at = Math.max(first, Math.floor(last * share) - 5_000);
    const { events } = await timed(`5,000 events after ${at}`, () => server.call("GET", `/api/journal?after=${at}&limit=5000`));
    if (events[0].seq !== at + 1) throw new Error(`after ${at} comes ${events[0].seq}`);
    await timed(`the picture at ${at}`, () => server.call("GET", `/api/journal/picture?at=${at}`));
  }
  const bytes = await timed("the export", async () => {
    let bytes = 0;
    for await (const chunk of (await fetch(`${server.url}/api/journal/export`)).body) bytes += chunk.length;
    return bytes;
  });
  report("its size, and memory after it", `${bytes >> 20} MB, ${memoryMb(server)} MB`);
} finally {
  await server.end();
  rmSync(data, { recursive: true, force: true });
}
