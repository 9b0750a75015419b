import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import http from "node:http";
import net from "node:net";
import { after, before, describe, type TestContext, test } from "node:test";
import type { PathReport, StepId } from "../../src/probe/types.ts";
import { collect, ROOT, TestClawkit } from "../helpers/clawkit.ts";
import { CLAWKIT, CommandLine } from "../helpers/command-line.ts";
import { whyNoNamespaces } from "../helpers/network.ts";
import { serve } from "../helpers/servers.ts";
import { TestCertificate } from "../helpers/tls.ts";
import { NatPath, type PathOptions } from "./lab.ts";
import { ProxyServer } from "./proxy-server.ts";

/** A path with one thing wrong, as a client meets it. */
interface Broken {
  readonly url: string;
  /** The words in front of a client's command. */
  readonly onClient?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** At its other end. */
  readonly gateway: TestClawkit;
}

/** What `doctor --json` prints, of which this looks at little. */
interface Examined {
  readonly ok: boolean;
  readonly outOfSight: string | null;
  readonly causes: readonly { readonly id: string; readonly verdict: string }[];
}

interface Fault {
  readonly title: string;
  readonly failsAt: StepId | null;
  readonly says: RegExp;
  /** What the doctor on the gateway's side says: a cause, or that it cannot see it. */
  readonly doctor: string | "cannot see";
  readonly breakIt: (t: TestContext) => Promise<Broken> | Broken;
}

const skip = process.env.CI ? false : whyNoNamespaces();

describe("a path with one thing wrong", { concurrency: 4, skip }, () => {
  let line: CommandLine;
  /** Well, whatever happens on the way to it. */
  let well: TestClawkit;
  before(async () => {
    line = await CommandLine.create();
    well = await TestClawkit.run({ gateway: { bind: "lan" } });
  });
  after(async () => {
    await well[Symbol.asyncDispose]();
    await line[Symbol.asyncDispose]();
  });

  /** A way of its own to the gateway that is well. */
  const behind = (options: (port: number) => PathOptions) => (t: TestContext) => {
    const path = new NatPath(options(well.port));
    t.after(() => path[Symbol.dispose]());
    return { url: `ws://${path.gateway}:${well.port}`, onClient: path.onClient, gateway: well };
  };

  const faults: readonly Fault[] = [
    {
      title: "its name does not resolve",
      failsAt: "dns",
      says: /fails at the name: no-such-gateway.invalid has no address \(ENOTFOUND|EAI_AGAIN\)/,
      doctor: "cannot see",
      breakIt: () => ({ url: `ws://no-such-gateway.invalid:${well.port}`, gateway: well }),
    },
    {
      title: "one of its two addresses is dead",
      failsAt: null,
      says: /works; look at the network or the port: port \d+: .*no (answer|route).*; clients that try that address first wait/,
      doctor: "cannot see",
      breakIt: (t) => {
        const hosts = ({ gateway, nobody }: NatPath) => `${nobody} gateway.test\n${gateway} gateway.test`;
        return { ...behind(() => ({ hosts }))(t), url: `ws://gateway.test:${well.port}` };
      },
    },
    {
      title: "a firewall drops what begins a connection",
      failsAt: "tcp",
      says: /fails at the network or the port: .*no answer: a firewall drops it/,
      doctor: "cannot see",
      breakIt: behind((port) => ({ rules: [`tcp dport ${port} drop`] })),
    },
    {
      title: "a firewall refuses the port",
      failsAt: "tcp",
      says: /fails at the network or the port: .*refused: nothing listens there, or a firewall says so/,
      doctor: "cannot see",
      breakIt: behind((port) => ({ rules: [`tcp dport ${port} reject with tcp reset`] })),
    },
    {
      title: "a router knows no way to its host",
      failsAt: "tcp",
      says: /fails at the network or the port: .*no route to the host/,
      doctor: "cannot see",
      breakIt: behind((port) => ({ rules: [`tcp dport ${port} reject with icmp type host-unreachable`] })),
    },
    {
      title: "its certificate is for another name",
      failsAt: "tls",
      says: /fails at TLS: .*it is not for gateway\.test: DNS:localhost/,
      doctor: "cannot see",
      breakIt: async (t) => {
        const certificate = await TestCertificate.make();
        assert.ok(typeof certificate !== "string", String(certificate));
        t.after(() => certificate[Symbol.asyncDispose]());
        const { cert, key } = certificate;
        const gateway = await ran(t, { bind: "lan", tls: { cert, key } });
        const path = new NatPath({ hosts: (one) => `${one.gateway} gateway.test` });
        t.after(() => path[Symbol.dispose]());
        const env = { NODE_EXTRA_CA_CERTS: cert };
        return { url: `wss://gateway.test:${gateway.port}`, onClient: path.onClient, env, gateway };
      },
    },
    {
      title: "the proxy of its network wants a sign-in",
      failsAt: "proxy",
      says: /fails at the proxy: the proxy of HTTP_PROXY .*answered CONNECT with 407/,
      doctor: "cannot see",
      breakIt: async (t) => {
        const proxy = http.createServer();
        proxy.on("connect", (_, socket) => {
          socket.end("HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n");
        });
        const env = { HTTP_PROXY: `http://127.0.0.1:${await serve(t, proxy)}` };
        return { url: well.url, env, gateway: well };
      },
    },
    {
      title: "the proxy in front of it does not pass Upgrade on",
      failsAt: "upgrade",
      says: /fails at HTTP .*refused: \d{3} .*server: nginx.*(Upgrade is not passed on|does not pass)/,
      doctor: "cannot see",
      breakIt: async (t) => {
        const proxy = await proxied(t, { upstream: well.port, isUpgradePassed: false });
        return { url: `ws://127.0.0.1:${proxy.port}`, gateway: well };
      },
    },
    {
      title: "it is down behind a proxy that is not",
      failsAt: "upgrade",
      says: /fails at HTTP .*502 Bad Gateway .*nginx.*the gateway behind it does not/,
      doctor: "planned-stop",
      breakIt: async (t) => {
        const gateway = await ran(t, {});
        const proxy = await proxied(t, { upstream: gateway.port });
        await gateway.cli("gateway", "stop");
        return { url: `ws://127.0.0.1:${proxy.port}`, gateway };
      },
    },
    {
      title: "a tunnel on the way is smaller than its packets, and nobody is told",
      failsAt: "frames",
      says: /fails at the size of packets or frames: small packets pass and full ones do not: .*MTU/,
      doctor: "cannot see",
      breakIt: behind(() => ({ mtu: 1_280 })),
    },
    {
      title: "something on the way takes the connection over after its upgrade",
      failsAt: "ping",
      says: /fails at the way of WebSocket frames: .*takes frames and passes none on/,
      doctor: "cannot see",
      breakIt: async (t) => ({
        url: `ws://127.0.0.1:${await serve(t, swallowing(well.port))}`,
        gateway: well,
      }),
    },
    {
      title: "a box on the way ends what sends much at once",
      failsAt: "frames",
      says: /fails at the size of packets or frames: a message of over 16 KiB, at most 60 KiB is not taken: the connection was reset/,
      doctor: "cannot see",
      breakIt: async (t) => ({ url: `ws://127.0.0.1:${await serve(t, limiting(well.port))}`, gateway: well }),
    },
    {
      title: "it is stopped (SIGSTOP) behind a network that lives",
      failsAt: "upgrade",
      says: /fails at HTTP .*no answer within 15 s: the gateway hangs/,
      doctor: "wedged-process",
      breakIt: async (t) => {
        const gateway = await TestClawkit.run();
        const { supervisor, edge } = await gateway.status();
        const tell = (signal: NodeJS.Signals) => {
          for (const { pid } of [supervisor, edge]) process.kill(pid!, signal);
        };
        t.after(async () => {
          tell("SIGCONT"); // or it does not stop
          await gateway[Symbol.asyncDispose]();
        });
        tell("SIGSTOP");
        return { url: gateway.url, gateway };
      },
    },
    {
      title: "its gateway throws everybody out",
      failsAt: "first-message",
      says: /fails at the gateway: the connection was closed with 1008 "you are not on the list"/,
      doctor: "pairing-or-auth-rejected",
      breakIt: async (t) => {
        const command = [process.execPath, `${ROOT}/test/network/programs/throws-out.ts`];
        const gateway = await ran(t, { upstream: { type: "command", command } });
        return { url: gateway.url, gateway };
      },
    },
  ];

  for (const { title, failsAt, says, doctor, breakIt } of faults) {
    const side =
      doctor === "cannot see"
        ? "the doctor at its other end cannot see it, and says so"
        : "the doctor agrees";
    test(`${title}: the probe names the layer, ${side}`, async (t) => {
      const { url, onClient = [], env = {}, gateway } = await breakIt(t);
      const [command, ...args] = [...onClient, process.execPath, CLAWKIT, "probe", url, "--json"];
      const child = spawn(command!, args, {
        env: { ...line.env, ...NO_PROXY, ...env },
        stdio: ["ignore", "pipe", "pipe"],
      });
      const { code, stdout, stderr } = await collect(child);
      assert.equal(code, failsAt === null ? 0 : 1, stdout + stderr);
      const report = JSON.parse(stdout) as PathReport;
      assert.equal(report.failedAt, failsAt, stdout);
      assert.match(report.summary, says);
      assert.ok(!report.summary.includes("\n"));
      const examined = JSON.parse((await gateway.cli("doctor", "--json")).stdout) as Examined;
      if (doctor === "cannot see") {
        assert.deepEqual([examined.ok, examined.causes], [true, []]);
        assert.match(examined.outOfSight!, /run clawkit probe <url> where the client is/);
      } else {
        assert.equal(examined.causes[0]?.id, doctor, JSON.stringify(examined.causes, null, 2));
      }
    });
  }
});

/** Of the shell that runs the tests. */
const NO_PROXY = Object.fromEntries(
  ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"].flatMap((name) => [
    [name, undefined],
    [name.toLowerCase(), undefined],
  ]),
);

async function ran(t: TestContext, gateway: object): Promise<TestClawkit> {
  const clawkit = await TestClawkit.run({ gateway });
  t.after(() => clawkit[Symbol.asyncDispose]());
  return clawkit;
}

async function proxied(
  t: TestContext,
  options: Parameters<typeof ProxyServer.start>[1],
): Promise<ProxyServer> {
  const proxy = await ProxyServer.start("nginx", options);
  t.after(() => proxy[Symbol.asyncDispose]());
  return proxy;
}

/** Passes the upgrade and its answer on, and after it nothing. */
function swallowing(port: number): net.Server {
  return net.createServer((socket) => {
    const upstream = net.connect(port, "127.0.0.1").on("error", () => undefined);
    socket.once("data", (head) => {
      upstream.write(head);
      upstream.once("data", (answer: Buffer) => {
        const end = answer.indexOf("\r\n\r\n") + 4;
        socket.write(answer.subarray(0, end));
        socket.resume();
        upstream.resume();
      });
    });
    socket.on("close", () => upstream.destroy());
  });
}

/** Resets a connection that sends more than 24 KiB. */
function limiting(port: number): net.Server {
  return net.createServer((socket) => {
    const upstream = net.connect(port, "127.0.0.1").on("error", () => undefined);
    let bytes = 0;
    socket.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > 24 * 1024) socket.resetAndDestroy();
    });
    socket.pipe(upstream).pipe(socket);
    socket.on("close", () => upstream.destroy());
  });
}
