// The release build of Skuflow for a measurement: on a free port, with a folder of its own, gone afterwards.

import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";

const ROOT = resolve(import.meta.dirname, "../..");

/**
 * Starts it, and answers once it serves: its addresses, its pid, a way to call it and one to end it. `within` is the
 * folder for its data, and `descriptors` how many files it may have open; what it logs goes to `log`, line by line. A
 * folder that is named as `kept` is used as it is, and stays.
 */
export async function start(binary, flags = [], { within = tmpdir(), descriptors, log, kept } = {}) {
  const data = kept ?? mkdtempSync(join(within, "skuflow-measured-"));
  const command = [resolve(binary), "serve", "--addr", "127.0.0.1:0", "--data", data, ...flags];
  const limit = descriptors ? ["bash", "-c", `ulimit -n ${descriptors} && exec "$@"`, "bash"] : [];
  const [program, ...rest] = [...limit, ...command];
  const child = spawn(program, rest, { cwd: ROOT, stdio: ["ignore", "pipe", log ? "pipe" : "inherit"] });
  if (log) createInterface({ input: child.stderr }).on("line", log);
  const ended = new Promise((done) => child.once("exit", done));
  let broker;
  const url = await new Promise((listening, failed) => {
    child.once("exit", (code) => failed(new Error(`skuflow ended with ${code}`)));
    createInterface({ input: child.stdout }).on("line", (line) => {
      broker ??= line.match(/^broker at amqp:\/\/(\S+)/)?.[1];
      const found = line.match(/^listening on (\S+)/)?.[1];
      if (found) listening(found);
    });
  });
  return {
    url,
    broker: `amqp://guest:guest@${broker}/%2f`,
    pid: child.pid,
    async call(method, path, body) {
      const init = { method, headers: { "content-type": "application/json" }, body: body && JSON.stringify(body) };
      const response = await fetch(url + path, init);
      if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
      return response.json();
    },
    async end() {
      child.kill("SIGTERM");
      if (child.exitCode === null && child.signalCode === null) await ended;
      if (!kept) rmSync(data, { recursive: true, force: true });
    },
  };
}
