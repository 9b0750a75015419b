import assert from "node:assert/strict";
import { describe, mock, test } from "node:test";
import { ServiceNotifier } from "./notify.ts";

const NOTIFY_SOCKET = "/run/user/1000/systemd/notify";

/** What a notifier sent, one message a line. */
function notifierWith(variables: { NOTIFY_SOCKET?: string; WATCHDOG_USEC?: string; WATCHDOG_PID?: string }) {
  const sent: string[] = [];
  const logged: string[] = [];
  let fails = false;
  const notifier = new ServiceNotifier({
    variables,
    pid: 42,
    log: (text) => logged.push(text),
    run: async (file, args, options) => {
      assert.equal(file, "systemd-notify");
      assert.deepEqual(options?.environment, { NOTIFY_SOCKET });
      if (fails) throw new Error("no memory");
      sent.push(args.join(" "));
      return "";
    },
  });
  return { notifier, sent, logged, fail: () => (fails = true) };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

describe("telling systemd", () => {
  test("starting, ready, stopping, in their order", async () => {
    const { notifier, sent } = notifierWith({ NOTIFY_SOCKET });
    notifier.starting(130);
    notifier.ready("clients\n are served");
    notifier.stopping(27);
    await settled();
    assert.deepEqual(sent, [
      "EXTEND_TIMEOUT_USEC=130000000",
      "READY=1 STATUS=clients are served",
      "STOPPING=1 EXTEND_TIMEOUT_USEC=27000000",
    ]);
  });

  test("nobody asked: nothing is run", async () => {
    const { notifier, sent } = notifierWith({});
    notifier.ready("clients are served");
    await settled();
    assert.deepEqual(sent, []);
  });

  test("the watchdog gets three beats within its time, until the end", async () => {
    mock.timers.enable({ apis: ["setInterval"] });
    try {
      const { notifier, sent } = notifierWith({
        NOTIFY_SOCKET,
        WATCHDOG_USEC: "90000000",
        WATCHDOG_PID: "42",
      });
      mock.timers.tick(90_000);
      await settled();
      assert.deepEqual(sent, ["WATCHDOG=1", "WATCHDOG=1", "WATCHDOG=1"]);
      notifier.end();
      mock.timers.tick(90_000);
      await settled();
      assert.equal(sent.length, 3);
    } finally {
      mock.timers.reset();
    }
  });

  test("a watchdog of another process is not ours to feed", async () => {
    mock.timers.enable({ apis: ["setInterval"] });
    try {
      const { sent } = notifierWith({ NOTIFY_SOCKET, WATCHDOG_USEC: "90000000", WATCHDOG_PID: "1" });
      mock.timers.tick(90_000);
      await settled();
      assert.deepEqual(sent, []);
    } finally {
      mock.timers.reset();
    }
  });

  test("what cannot be sent is logged once, and ends nothing", async () => {
    const { notifier, logged, fail } = notifierWith({ NOTIFY_SOCKET });
    fail();
    notifier.ready("clients are served");
    notifier.stopping(27);
    await settled();
    assert.deepEqual(logged, ["cannot tell systemd READY=1: no memory"]);
  });
});
