// The release build of Skuflow, started for one test on a free port and with a folder of its own.

import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";

const ROOT = resolve(import.meta.dirname, "../..");
const BINARY = process.env.SKUFLOW_BIN ?? join(ROOT, process.env.CARGO_TARGET_DIR ?? "target", "release/skuflow");
const STARTS_WITHIN_MS = 15_000;

export class Server {
  private process?: ChildProcess;
  private readonly data = mkdtempSync(join(tmpdir(), "skuflow-e2e-"));
  private complaints = "";
  /** `127.0.0.1:PORT`; the same after a restart. */
  address = "127.0.0.1:0";

  /** `flags` are further flags. */
  constructor(
    private readonly broker: string,
    private readonly flags: readonly string[] = [],
  ) {}

  get url() {
    return `http://${this.address}`;
  }

  /** Starts it and waits for the line that says it serves. */
  async start() {
    const args = ["serve", "--addr", this.address, "--data", this.data, "--broker", this.broker, ...this.flags];
    const child = spawn(BINARY, args, { cwd: ROOT, stdio: ["ignore", "pipe", "pipe"] });
    this.process = child;
    child.stderr?.on("data", (text) => (this.complaints += text));
    this.address = await new Promise<string>((listening, failed) => {
      const late = setTimeout(() => failed(new Error(`no answer in time\n${this.complaints}`)), STARTS_WITHIN_MS);
      child.on("error", failed);
      child.on("exit", (code) => failed(new Error(`skuflow ended with ${code}\n${this.complaints}`)));
      createInterface({ input: child.stdout! }).on("line", (line) => {
        const address = line.match(/^listening on http:\/\/(\S+)/)?.[1];
        if (address) {
          clearTimeout(late);
          listening(address);
        }
      });
    });
  }

  /** Asks it to end, and waits until it has. */
  async stop(signal: NodeJS.Signals = "SIGTERM") {
    const child = this.process;
    this.process = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((done) => child.once("exit", done));
    child.kill(signal);
    const patience = setTimeout(() => child.kill("SIGKILL"), 10_000);
    await ended;
    clearTimeout(patience);
  }

  /** Removes its folder. Nothing may run any more. */
  discard() {
    rmSync(this.data, { recursive: true, force: true });
  }

  async get<T>(path: string): Promise<T> {
    const response = await fetch(this.url + path);
    if (!response.ok) throw new Error(`GET ${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as T;
  }

  async post<T>(path: string, body: unknown): Promise<T> {
    const response = await fetch(this.url + path, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`POST ${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as T;
  }

  product(style: Style, sku: string) {
    return this.get<Product[]>(`/api/${style}/catalog/products`).then((all) => all.find((p) => p.sku === sku));
  }

  wishes(style: Style, sku: string) {
    return this.get<Wish[]>(`/api/${style}/wishlist/wishes`).then((all) => all.filter((w) => w.sku === sku));
  }

  emails(style: Style) {
    return this.get<Email[]>(`/api/${style}/wishlist/emails`);
  }

  /** The place of the journal's last event. */
  lastSeq() {
    return this.get<{ last: number }>("/api/journal?limit=1").then((journal) => journal.last);
  }
}

export type Style = "choreography" | "orchestration";
export const STYLES: Style[] = ["choreography", "orchestration"];

export interface Product {
  sku: string;
  name: string;
  available: boolean;
  quantity: number;
}

export interface Wish {
  email: string;
  sku: string;
  notified_at: string | null;
}

export interface Email {
  id: number;
  to: string;
  sku: string;
  subject: string;
}
