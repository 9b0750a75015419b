import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { after, before, describe, test } from "node:test";
import { type WebSocket, WebSocketServer } from "ws";
import type { IdleReport, PathReport } from "../../src/probe/types.ts";
import { collect } from "../helpers/clawkit.ts";
import { CLAWKIT, CommandLine } from "../helpers/command-line.ts";
import { exits } from "../helpers/results.ts";

describe("clawkit probe", { concurrency: true }, () => {
  let line: CommandLine;
  before(async () => {
    line = await CommandLine.create();
  });
  after(() => line[Symbol.asyncDispose]());

  for (const isJson of [false, true]) {
    test(`--idle tells what is known so far at Ctrl-C${isJson ? ", in JSON" : ""}, and leaves nothing open`, async (t) => {
      const server = new WebSocketServer({ host: "127.0.0.1", port: 0 });
      t.after(() => server.close());
      const asked = new Promise<WebSocket>((resolve) => {
        server.on("connection", (socket) => {
          socket.on("ping", (text) => text.toString() === "still there?" && resolve(socket));
        });
      });
      await once(server, "listening");
      const { port } = server.address() as { port: number };
      const args = [CLAWKIT, "probe", `ws://127.0.0.1:${port}/?token=s3cret-t0ken`, "--idle"];
      const child = spawn(process.execPath, [...args, ...(isJson ? ["--json"] : [])], {
        env: line.env,
        stdio: ["ignore", "pipe", "pipe"],
      });
      const running = exits(130, collect(child));
      // the first that was left alone for its time is done with; the others would go on for ten minutes
      await once(await asked, "close");
      const left = [...server.clients].map((socket) => once(socket, "close"));
      assert.ok(left.length > 3);
      child.kill("SIGINT");
      const { stdout, stderr } = await running;
      await Promise.all(left);
      assert.doesNotMatch(stdout + stderr, /s3cret/);
      assert.match(stderr, /round 1 .* left at most/);
      if (!isJson) {
        assert.match(stdout, /^✓ upgrade /m);
        assert.match(stdout, /^The path works/m);
        assert.match(
          stdout,
          /Idle limit: none found; 4 s of silence were survived\n.*stopped before it was through/,
        );
        return;
      }
      const report = JSON.parse(stdout) as PathReport & { idle: IdleReport };
      assert.deepEqual([report.ok, report.stopped], [true, false]);
      assert.deepEqual([report.idle.stopped, report.idle.survivedSec, report.idle.kind], [true, 4, "none"]);
    });
  }

  for (const isJson of [false, true]) {
    test(`--idle repeats no secret that a server closes with${isJson ? ", in JSON" : ""}`, async (t) => {
      const server = new WebSocketServer({ host: "127.0.0.1", port: 0 });
      t.after(() => server.close());
      server.on("connection", (socket, { url }) => {
        const close = () => socket.close(4000, `idle \u001b[2J ${url}`);
        const timer = setTimeout(close, 3_000);
        socket.on("ping", () => timer.refresh());
      });
      await once(server, "listening");
      const { port } = server.address() as { port: number };
      const url = `ws://127.0.0.1:${port}/?key=s3cret-t0ken`;
      const json = isJson ? ["--json"] : [];
      const { stdout, stderr } = await exits(0, line.clawkit("probe", url, "--max", "8", ...json));
      assert.match(stdout, /idle \uFFFD\[2J \/\?key=\[redacted\]/);
      assert.doesNotMatch(stdout + stderr, /s3cret|\u001b|\\u001b/);
    });
  }

  test("refuses what is no address with a sentence that repeats no secret", async () => {
    const { stderr } = await exits(2, line.clawkit("probe", "gateway.example?token=s3cret-t0ken"));
    assert.match(stderr, /Cannot probe "gateway.example": give a URL such as/);
  });

  test("refuses a time that it cannot try", async () => {
    const { stderr } = await exits(2, line.clawkit("probe", "ws://127.0.0.1:1", "--max", "3d"));
    assert.match(stderr, /--max must be from 5s to 2h/);
  });
});
