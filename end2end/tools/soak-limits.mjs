// Drives the release build into its limits, and prints what that costs: large headers, a broker without room, few file
// descriptors, a full disk. Ends with an error when something is lost or does not go on.
// Use: node tools/soak-limits.mjs BINARY     The full disk needs the right to mount a small one (root).

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect as connectTcp } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import amqp from "amqplib";
import { start } from "./program.mjs";

const [binary] = process.argv.slice(2);
const DEADLINE_MS = 60_000;
const SKU = "MUG-RED";

const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

/** Asks until there is an answer; how long that took, in milliseconds. */
async function until(what, ask) {
  const begun = performance.now();
  while (!(await ask())) {
    if (performance.now() - begun > DEADLINE_MS) throw new Error(`waited too long until ${what}`);
    await sleep(20);
  }
  return Math.round(performance.now() - begun);
}

/** Resident memory in MB (proc(5)). */
function memoryMb(server) {
  return Math.round(Number(readFileSync(`/proc/${server.pid}/status`, "utf8").match(/VmRSS:\s+(\d+)/)[1]) / 1024);
}

async function readiness(server) {
  const response = await fetch(`${server.url}/readyz`);
  return { ready: response.ok, text: await response.text() };
}

/** Sends one arrival in both styles; the status. */
async function arrive(server) {
  const response = await fetch(`${server.url}/api/arrivals`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ sku: SKU, quantity: 1, style: "both" }),
  });
  await response.arrayBuffer();
  return response.status;
}

/** Whether both catalogs show so many pieces. */
async function shows(server, quantity) {
  for (const style of ["choreography", "orchestration"]) {
    const products = await server.call("GET", `/api/${style}/catalog/products`);
    if (products.find(({ sku }) => sku === SKU)?.quantity !== quantity) return false;
  }
  return true;
}

/** A connection to the embedded broker, with a channel and a queue for garbage. */
async function garbage(server) {
  const connection = await amqp.connect(server.broker);
  connection.on("error", () => {});
  const channel = await connection.createChannel();
  channel.on("error", () => {});
  await channel.assertQueue("garbage", { durable: false });
  return { connection, channel };
}

/** Runs a scenario on a server of its own, and ends that however it went. */
async function on(options, scenario) {
  const server = await start(binary, [], options);
  try {
    await scenario(server);
  } finally {
    await server.end();
  }
}

const waiting = async (channel) => (await channel.checkQueue("garbage")).messageCount;

async function largeHeaders(server) {
  const { channel } = await garbage(server);
  const before = memoryMb(server);
  // As large as amqplib can write them.
  const headers = Object.fromEntries(Array.from({ length: 6 }, (_, n) => [`h${n}`, "x".repeat(10_000)]));
  const messages = 12_000;
  for (let n = 0; n < messages; n++) {
    if (!channel.sendToQueue("garbage", Buffer.alloc(0), { headers })) await new Promise((go) => channel.once("drain", go));
  }
  await until("all are in the queue", async () => (await waiting(channel)) === messages);
  const held = memoryMb(server) - before;
  await arrive(server);
  const handled = await until("an arrival is handled beside them", () => shows(server, 1));
  console.log(`large headers      ${messages} × 60 kB: ${held} MB held; an arrival beside them was handled in ${handled} ms`);
}

async function fullBroker(server) {
  const { connection, channel } = await garbage(server);
  let blocked = null;
  connection.on("blocked", (reason) => (blocked = reason));
  const body = Buffer.alloc(16 << 20);
  let published = 0;
  await until("the broker has no room", async () => {
    if (!blocked && published < 200) {
      published += 1;
      channel.sendToQueue("garbage", body);
      await sleep(10);
    }
    return blocked;
  });
  const statuses = new Set();
  for (let n = 0; n < 20; n++) statuses.add(await arrive(server));
  const noticed = await until("it is not ready", async () => !(await readiness(server)).ready);
  const { text } = await readiness(server);
  const held = memoryMb(server);
  const other = await (await amqp.connect(server.broker)).createChannel();
  await other.purgeQueue("garbage");
  // What was on its way fills it once more.
  const recovered = await until("all is handled", async () => {
    await other.purgeQueue("garbage");
    return (await readiness(server)).ready && (await shows(server, 20));
  });
  console.log(`full broker        ${held} MB held, ${[...statuses]} for arrivals, noticed in ${noticed} ms: ${JSON.parse(text).detail}`);
  console.log(`                   20 of 20 arrivals handled ${recovered} ms after there was room`);
}

async function fewDescriptors(server, lines) {
  const { hostname, port } = new URL(server.url);
  const sockets = Array.from({ length: 400 }, () => connectTcp(Number(port), hostname).on("error", () => {}));
  await sleep(3_000);
  sockets.forEach((socket) => socket.destroy());
  const ready = await until("it is ready again", async () => {
    return (await readiness(server).catch(() => ({ ready: false }))).ready;
  });
  await arrive(server);
  await until("an arrival is handled", () => shows(server, 1));
  const panics = lines.filter((line) => line.includes("panicked")).length;
  console.log(`256 descriptors    400 idle connections: ${lines.length} lines logged, ${panics} panics, ready ${ready} ms after`);
  if (panics) throw new Error("it panicked");
}

/** Runs a scenario on a small disk, which is gone afterwards. */
async function onSmallDisk(scenario) {
  const disk = mkdtempSync(join(tmpdir(), "skuflow-small-disk-"));
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=48m", "tmpfs", disk], { stdio: "ignore" });
  } catch {
    rmSync(disk, { recursive: true });
    console.log("full disk          skipped: a small disk cannot be mounted here");
    return;
  }
  try {
    await scenario(disk);
  } finally {
    execFileSync("umount", [disk]);
    rmSync(disk, { recursive: true });
  }
}

async function fullDisk(server, disk, lines) {
  const statuses = new Map();
  const send = async () => {
    const status = await arrive(server);
    statuses.set(status, (statuses.get(status) ?? 0) + 1);
  };
  for (let n = 0; n < 50; n++) await send();
  const filler = join(disk, "filler");
  try {
    writeFileSync(filler, Buffer.alloc(64 << 20));
  } catch {
    // That is what it is for.
  }
  let most = 0;
  const before = memoryMb(server);
  for (const end = performance.now() + 60_000; performance.now() < end; await sleep(5)) {
    await send();
    most = Math.max(most, memoryMb(server));
  }
  if ((await readiness(server)).ready) throw new Error("it says that it is ready on a full disk");
  rmSync(filler);
  const ready = await until("it is ready again", async () => (await readiness(server)).ready);
  await send();
  const accepted = statuses.get(202);
  const handled = await until("all that was accepted is handled", () => shows(server, accepted));
  const counts = [...statuses].map(([status, times]) => `${times} × ${status}`).join(", ");
  console.log(`full disk          a minute: ${counts}; ${before} MB before, ${most} MB at most, ${lines.length} lines logged`);
  console.log(`                   ready ${ready} ms after there was room, all ${accepted} accepted were handled after ${handled} ms`);
}

/** What a server logs, and where it goes. */
function listening() {
  const lines = [];
  return { lines, log: (line) => lines.push(line) };
}

await on({}, largeHeaders);
await on({}, fullBroker);
const few = listening();
await on({ descriptors: 256, log: few.log }, (server) => fewDescriptors(server, few.lines));
await onSmallDisk((disk) => {
  const { lines, log } = listening();
  return on({ within: disk, log }, (server) => fullDisk(server, disk, lines));
});
process.exit(0);
