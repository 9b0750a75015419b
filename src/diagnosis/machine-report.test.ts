import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { examinationOf, fact, machineWith } from "../../test/helpers/machine.ts";
import { examinationHeadline, examinationJson, examinationLines } from "./machine-report.ts";

const { target } = machineWith();

const outOfSight = {
  heading: "out of sight",
  text: "the path from a client on another machine to this one: run clawkit probe <url> where the client is",
};

describe("a report of a gateway that is well", () => {
  test("is a line for it, one for how that is known, and one for what cannot be seen from here", async () => {
    const examination = await examinationOf(fact("healthz-ok", { detail: "/healthz answers 200" }));
    assert.deepEqual(examinationHeadline(examination, target), [
      "Healthy: ws://127.0.0.1:28789 is served",
      "/healthz answers 200.",
    ]);
    assert.deepEqual(examinationLines(examination, target, false), [outOfSight]);
    assert.equal((examinationJson(examination, 1) as { outOfSight: string }).outOfSight, outOfSight.text);
  });

  test("tells why it was away before, and has no finding", async () => {
    const past = fact("ended-oom-recently", { detail: "the gateway ended" });
    const examination = await examinationOf(
      "healthz-ok",
      past,
      fact("past-line", { detail: "its last word" }),
    );
    assert.match(examinationHeadline(examination, target)[1], /Before: the gateway ended\.$/);
    assert.deepEqual(examinationLines(examination, target, false), [
      { heading: "evidence", text: "test: its last word" },
      outOfSight,
    ]);
    const report = examinationJson(examination, 1) as { ok: boolean; findings: unknown[] };
    assert.deepEqual([report.ok, report.findings], [true, []]);
  });
});

describe("a report of one that is not", () => {
  test("has a finding for each cause that holds, none for what is ruled out", async () => {
    const path = "/home/u/.clawkit/config.json5";
    const broken = fact("own-config-broken", { detail: "it is cut", source: path });
    const report = examinationJson(await examinationOf(broken, "port-free", "connect-refused"), 3) as {
      findings: Record<string, unknown>[];
      checksRun: number;
      checksSkipped: number;
    };
    assert.deepEqual([report.checksRun, report.checksSkipped], [3, 0]);
    const [config, symptom] = report.findings;
    assert.deepEqual(
      [config?.checkId, config?.severity, config?.path, symptom?.checkId],
      ["clawkit/config-invalid", "error", path, "clawkit/not-listening"],
    );
    assert.match(String(config?.message), /\(confirmed\): it is cut$/);
  });

  test("shows what could not be looked at, and every fact only when asked", async () => {
    const examination = {
      ...(await examinationOf("port-free")),
      notLooked: [{ id: "x", what: "the log", why: "no" }],
    };
    const short = examinationLines(examination, target, false);
    assert.ok(short.some(({ heading, text }) => heading === "not looked" && text === "the log: no"));
    assert.ok(!short.some(({ heading }) => heading === "fact"));
    const long = examinationLines(examination, target, true);
    assert.ok(
      long.some(({ heading, text }) => heading === "fact" && text === "port-free (test): about port-free"),
    );
  });
});
