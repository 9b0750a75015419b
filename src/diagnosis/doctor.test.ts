import assert from "node:assert/strict";
import { describe, mock, test } from "node:test";
import { fact, finds, machineWith, NOW } from "../../test/helpers/machine.ts";
import { examine } from "./doctor.ts";
import type { Look } from "./machine.ts";
import type { Fact } from "./types.ts";

const MINUTE_MS = 60_000;
const YESTERDAY = new Date(NOW - 24 * 60 * MINUTE_MS).toISOString();

/** What is thought of a machine of which these facts are known. */
async function told(...facts: (Fact | string)[]) {
  const { diagnosis } = await examine(machineWith(), [finds(...facts)]);
  return {
    verdict: diagnosis.verdict,
    causes: diagnosis.causes.map(({ id, verdict }) => `${id} ${verdict}`),
  };
}

describe("a gateway that serves", () => {
  for (const served of ["healthz-ok", "upgrade-accepted"]) {
    test(`is healthy, known by ${served}`, async () => {
      assert.deepEqual(await told("http-answers", served), { verdict: "healthy", causes: [] });
    });
  }

  for (const against of ["not-ready", "starting-up", "not-healthy", "ours-unhealthy", "ours-starting"]) {
    test(`is not called healthy with ${against}`, async () => {
      assert.notEqual((await told("http-answers", "healthz-ok", against)).verdict, "healthy");
    });
  }

  // any web server may say ok: true on /healthz
  for (const owner of ["port-foreign", "port-owner-hidden"]) {
    test(`is not known by its health alone with ${owner}, only by its greeting`, async () => {
      const { verdict } = await told("http-answers", "healthz-ok", owner, "upgrade-refused");
      assert.notEqual(verdict, "healthy");
      assert.equal((await told("healthz-ok", owner, "upgrade-accepted")).verdict, "healthy");
    });
  }

  test("is another program if that holds its port and does not greet", async () => {
    for (const no of ["upgrade-refused", "upgrade-unlike-gateway"]) {
      const { causes } = await told("http-answers", "healthz-ok", "port-foreign", no);
      assert.equal(causes[0], "port-conflict confirmed");
    }
  });

  test("is not called healthy if it answers and is stopped since", async () => {
    const { verdict, causes } = await told("healthz-ok", "process-stopped");
    assert.deepEqual([verdict, causes[0]], ["likely", "wedged-process likely"]);
  });

  test("is healthy whatever a log says of yesterday", async () => {
    const said = ["heap-oom-said", "port-taken-said", "uncaught-said", "pairing-said"];
    const log = said.map((id) => fact(id, { source: "/var/log/openclaw.log", at: YESTERDAY }));
    assert.deepEqual(await told("healthz-ok", ...log), { verdict: "healthy", causes: [] });
  });

  // lines of a service's log have no time of their own
  test("is healthy whatever a log says of a start, without a time", async () => {
    const log = ["heap-oom-said", "config-invalid-said", "config-key-said"].map((id) => fact(id));
    assert.deepEqual(await told("healthz-ok", ...log), { verdict: "healthy", causes: [] });
  });

  test("can still have clients in trouble just now", async () => {
    const at = new Date(NOW - MINUTE_MS).toISOString();
    const { causes } = await told("healthz-ok", fact("clients-pairing-or-auth-rejected", { at }));
    assert.match(causes[0] ?? "", /^pairing-or-auth-rejected /);
  });

  test("is not blamed for clients that were in trouble an hour ago", async () => {
    const at = new Date(NOW - 60 * MINUTE_MS).toISOString();
    const { verdict } = await told("healthz-ok", fact("clients-pairing-or-auth-rejected", { at }));
    assert.equal(verdict, "healthy");
  });

  test("is healthy, and its last outage is told with its evidence", async () => {
    const facts = [
      fact("healthz-ok"),
      fact("ended-oom-recently", { detail: "the gateway ended", at: YESTERDAY }),
      fact("past-evidence", { detail: "the kernel said so" }),
      fact("past-line", { detail: "its last word" }),
    ];
    const { diagnosis } = await examine(machineWith(), [finds(...facts)]);
    assert.equal(diagnosis.verdict, "healthy");
    const [cause, ...others] = diagnosis.causes;
    assert.deepEqual([cause?.id, cause?.verdict, others], ["oom", "confirmed", []]);
    const details = cause?.evidence.map(({ detail }) => detail);
    assert.deepEqual(details, ["the gateway ended", "the kernel said so", "its last word"]);
  });

  test("has a past outage that is only likely, if that was the verdict then", async () => {
    const { causes } = await told("healthz-ok", fact("ended-oom-likely-recently", { at: YESTERDAY }));
    assert.deepEqual(causes, ["oom likely"]);
  });

  test("has a past end that nobody saw as likely, however sure the recorder is that it ended", async () => {
    const past = fact("ended-ended-without-record-recently", { at: YESTERDAY });
    assert.deepEqual((await told("healthz-ok", past)).causes, ["ended-without-record likely"]);
  });
});

describe("a gateway that is away", () => {
  const away = ["port-free", "connect-refused"];

  test("is confirmed to have ended as the flight recorder says, with its last lines", async () => {
    const facts = [
      fact("port-free"),
      fact("connect-refused"),
      fact("ended-uncaught-exception-crash", { detail: "the gateway ended" }),
      fact("exit-evidence", { detail: "its stack" }),
      fact("exit-line", { detail: "TypeError: x is not a function" }),
    ];
    const { diagnosis } = await examine(machineWith(), [finds(...facts)]);
    const [cause] = diagnosis.causes;
    assert.deepEqual(
      [diagnosis.verdict, cause?.id, cause?.verdict],
      ["confirmed", "uncaught-exception-crash", "confirmed"],
    );
    const details = cause?.evidence.map(({ detail }) => detail);
    assert.deepEqual(details, ["the gateway ended", "its stack", "TypeError: x is not a function"]);
  });

  test("is likely to have ended so, if the recorder is not sure either", async () => {
    const { verdict, causes } = await told(...away, "ended-killed-by-signal-likely");
    assert.deepEqual([verdict, causes[0]], ["likely", "killed-by-signal likely"]);
  });

  test("is never confirmed to have ended while nobody looked", async () => {
    const { verdict, causes } = await told(
      ...away,
      "ended-ended-without-record",
      "lock-left-behind",
      "no-gateway-process",
      "log-ends-mid-life",
    );
    assert.deepEqual([verdict, causes[0]], ["likely", "ended-without-record likely"]);
  });

  test("has no outage of the past as its cause", async () => {
    const { causes } = await told(...away, fact("ended-oom-recently", { at: YESTERDAY }));
    assert.deepEqual(causes, ["not-listening likely"]);
  });

  test("was stopped by its operator, before it does not listen", async () => {
    const { causes } = await told(...away, "stopped-by-operator");
    assert.deepEqual(causes, ["planned-stop confirmed", "not-listening likely"]);
  });

  test("is told from root to symptom", async () => {
    const { causes } = await told(...away, "own-config-broken", "ended-ended-without-record");
    assert.deepEqual(causes, [
      "config-invalid confirmed",
      "ended-without-record likely",
      "not-listening likely",
    ]);
  });
});

test("nothing known is inconclusive, not healthy", async () => {
  assert.deepEqual(await told(), { verdict: "inconclusive", causes: [] });
});

describe("a cause that was right here before", () => {
  const equals = finds("service-refused", "port-free", "service-ignored-clean-exit");

  async function best(seenHere: [string, number][]) {
    const { diagnosis } = await examine(machineWith(), [equals], new Map(seenHere));
    return diagnosis.causes[0]?.id;
  }

  test("comes first among equals, and the field decides without it", async () => {
    assert.equal(await best([]), "restart-not-relaunched");
    assert.equal(await best([["config-refused-at-startup", 1]]), "config-refused-at-startup");
  });
});

describe("a look", () => {
  const good = finds("healthz-ok");

  test("that throws could not be looked at, and the others count", async () => {
    const bad: Look = { id: "bad", what: "the impossible", look: () => Promise.reject(new Error("no way")) };
    const { diagnosis, notLooked } = await examine(machineWith(), [bad, good]);
    assert.deepEqual(notLooked, [{ id: "bad", what: "the impossible", why: "no way" }]);
    assert.equal(diagnosis.verdict, "healthy");
  });

  test("that throws at once, and no error, neither hurts the others", async () => {
    const bad: Look = {
      id: "bad",
      what: "it",
      look: () => {
        throw "a text";
      },
    };
    const { notLooked } = await examine(machineWith(), [bad, good]);
    assert.deepEqual(notLooked, [{ id: "bad", what: "it", why: "a text" }]);
  });

  for (const [isDeep, limitMs] of [
    [false, 1_800],
    [true, 10_000],
  ] as const) {
    test(`that never returns is given up after ${limitMs} ms${isDeep ? " with --deep" : ""}`, async (t) => {
      t.mock.timers.enable({ apis: ["setTimeout"] });
      const stuck: Look = { id: "stuck", what: "the stuck", look: () => new Promise(() => undefined) };
      const done = mock.fn();
      const examined = examine(machineWith({ isDeep }), [stuck, good]).finally(done);
      t.mock.timers.tick(limitMs - 1);
      await new Promise(setImmediate);
      assert.equal(done.mock.callCount(), 0);
      t.mock.timers.tick(1);
      const { diagnosis, notLooked } = await examined;
      assert.deepEqual(notLooked, [
        { id: "stuck", what: "the stuck", why: `no result within ${limitMs} ms` },
      ]);
      assert.equal(diagnosis.verdict, "healthy");
    });
  }
});
