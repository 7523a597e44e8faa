// Chromium without anybody who listens to its network: Playwright hears every message of a stream, and what it makes of
// them would be measured, too. It speaks the DevTools protocol through a pipe.

import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Starts Chromium with one page of that size. */
export async function launch({ width, height, flags = [] }) {
  const profile = mkdtempSync(join(tmpdir(), "skuflow-measure-"));
  const executable = process.env.CHROMIUM_PATH ?? "/usr/bin/chromium";
  const all = ["--headless=new", "--no-sandbox", "--no-first-run", "--remote-debugging-pipe", `--user-data-dir=${profile}`];
  const child = spawn(executable, [...all, ...flags, "about:blank"], { stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"] });
  const ended = new Promise((done) => child.once("exit", done));
  const [to, from] = [child.stdio[3], child.stdio[4]];
  to.on("error", () => {});

  const waiting = new Map();
  const heard = new Map();
  const take = ({ id, method, params, result, error }) => {
    const done = waiting.get(id);
    waiting.delete(id);
    if (error) done?.reject(new Error(`${error.message} (${error.code})`));
    else done?.resolve(result);
    heard.get(method)?.(params);
  };
  let unread = "";
  from.setEncoding("utf8");
  from.on("data", (text) => {
    const messages = (unread + text).split("\0");
    unread = messages.pop();
    for (const message of messages) take(JSON.parse(message));
  });
  ended.then(() => waiting.forEach(({ reject }) => reject(new Error("Chromium has ended"))));

  let last = 0;
  const ask = (method, params, sessionId) =>
    new Promise((resolve, reject) => {
      last += 1;
      waiting.set(last, { resolve, reject });
      to.write(`${JSON.stringify({ id: last, method, params, sessionId })}\0`);
    });

  const { targetId } = await ask("Target.createTarget", { url: "about:blank" });
  const { sessionId } = await ask("Target.attachToTarget", { targetId, flatten: true });
  const send = (method, params = {}) => ask(method, params, sessionId);
  await send("Page.enable");
  await send("Runtime.enable");
  await send("Emulation.setDeviceMetricsOverride", { width, height, deviceScaleFactor: 1, mobile: false });

  const evaluate = async (of) => {
    const expression = typeof of === "function" ? `(${of})()` : of;
    const { result, exceptionDetails } = await send("Runtime.evaluate", { expression, returnByValue: true, awaitPromise: true });
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    return result.value;
  };
  return {
    send,
    evaluate,
    /** Calls that with each event of the name. */
    on: (method, callback) => heard.set(method, callback),
    /** Runs that in each page before its own scripts. */
    atStart: (script) => send("Page.addScriptToEvaluateOnNewDocument", { source: `(${script})()` }),
    goto: (url) => send("Page.navigate", { url }),
    /** Waits until something is so in the page. */
    until: async (expression, patienceMs = 30_000) => {
      for (const deadline = performance.now() + patienceMs; !(await evaluate(expression)); ) {
        if (performance.now() > deadline) throw new Error(`it never came to that: ${expression}`);
        await new Promise((done) => setTimeout(done, 100));
      }
    },
    close: async () => {
      child.kill();
      await ended;
      rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}
