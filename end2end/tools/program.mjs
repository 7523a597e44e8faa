// The release build of Skuflow for a measurement: on a free port, with a folder of its own, gone afterwards.

import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";

const ROOT = resolve(import.meta.dirname, "../..");

/** Starts it, and answers once it serves: its address, its pid, a way to call it and one to end it. */
export async function start(binary, flags = []) {
  const data = mkdtempSync(join(tmpdir(), "skuflow-measured-"));
  const child = spawn(resolve(binary), ["serve", "--addr", "127.0.0.1:0", "--data", data, ...flags], {
    cwd: ROOT,
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = new Promise((done) => child.once("exit", done));
  const url = await new Promise((listening, failed) => {
    child.once("exit", (code) => failed(new Error(`skuflow ended with ${code}`)));
    createInterface({ input: child.stdout }).on("line", (line) => {
      const found = line.match(/^listening on (\S+)/)?.[1];
      if (found) listening(found);
    });
  });
  return {
    url,
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
      rmSync(data, { recursive: true, force: true });
    },
  };
}
