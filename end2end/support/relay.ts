// A proxy that names the server by its inner address, as nginx does when it is told nothing else.

import { createServer, request, type Server as HttpServer } from "node:http";

export class Relay {
  private readonly listener: HttpServer;
  private port = 0;

  /** `target` says where the server is now. */
  constructor(target: () => string) {
    this.listener = createServer((asked, answer) => {
      const [host, port] = target().split(":");
      const headers = { ...asked.headers, host: target() };
      const inner = request({ host, port, path: asked.url, method: asked.method, headers }, (answered) => {
        answer.writeHead(answered.statusCode!, answered.headers);
        answered.pipe(answer);
      });
      inner.on("error", () => (answer.headersSent ? answer.destroy() : answer.writeHead(502).end()));
      answer.on("close", () => inner.destroy());
      asked.pipe(inner);
    });
  }

  /** Where readers see it: by a name, which every browser takes for this machine. */
  get url() {
    return `http://lab.localhost:${this.port}`;
  }

  /** Starts it on a free port. */
  async start() {
    await new Promise<void>((done) => this.listener.listen(0, "127.0.0.1", done));
    const address = this.listener.address();
    if (address === null || typeof address === "string") throw new Error("a relay listens on a port");
    this.port = address.port;
  }

  async stop() {
    this.listener.closeAllConnections();
    await new Promise((done) => this.listener.close(done));
  }
}
