// A proxy between browser and server that can be cut, since a browser's own offline mode leaves open streams open.

import { connect, createServer, type Server as TcpServer, type Socket } from "node:net";

export class Proxy {
  private readonly sockets = new Set<Socket>();
  private refusing = false;
  private readonly listener: TcpServer;

  constructor(target: string) {
    const [host, port] = target.split(":");
    this.listener = createServer((client) => {
      if (this.refusing) return client.destroy();
      const upstream = connect(Number(port), host);
      for (const [one, other] of [[client, upstream], [upstream, client]]) {
        this.sockets.add(one);
        one.on("error", () => other.destroy());
        one.on("close", () => {
          this.sockets.delete(one);
          other.destroy();
        });
        one.pipe(other);
      }
    });
  }

  /** Starts it on a free port. */
  async start() {
    await new Promise<void>((done) => this.listener.listen(0, "127.0.0.1", done));
    const address = this.listener.address();
    if (address === null || typeof address === "string") throw new Error("a proxy listens on a port");
    return `http://127.0.0.1:${address.port}`;
  }

  /** Drops every connection and refuses new ones. */
  cut() {
    this.refusing = true;
    for (const socket of this.sockets) socket.destroy();
  }

  mend() {
    this.refusing = false;
  }

  async stop() {
    this.cut();
    await new Promise((done) => this.listener.close(done));
  }
}
