import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { fact, finds, machineWith } from "../../test/helpers/machine.ts";
import { examinationHeadline } from "./machine-report.ts";
import { examineOnly } from "./one-look.ts";

const machine = machineWith();

async function told(...ids: string[]) {
  const { diagnosis } = await examineOnly(machine, finds(...ids.map((id) => fact(id))));
  return [diagnosis.verdict, ...diagnosis.causes.map(({ id, verdict }) => `${id} ${verdict}`)];
}

describe("one look alone", () => {
  test("says as much as its own facts allow", async () => {
    assert.deepEqual(await told("disk-full"), ["likely", "disk-full likely"]);
    assert.deepEqual((await told("tls-there")).slice(0, 2), ["confirmed", "tls-mismatch confirmed"]);
  });

  test("says what is possible where another look would decide", async () => {
    assert.deepEqual(await told("port-free"), ["possible", "not-listening possible"]);
    assert.deepEqual(await told("openclaw-mode-unset"), ["possible", "config-refused-at-startup possible"]);
  });

  test("blames nobody for what only matters together with something else", async () => {
    for (const calm of ["port-ours", "port-family", "healthz-ok", "family-lives", "log-ends-mid-life"])
      assert.deepEqual(await told(calm), ["healthy"], calm);
  });

  test("says that nothing else was looked at", async () => {
    const found = await examineOnly(machine, finds("disk-full"));
    assert.match(examinationHeadline(found, machine.target)[1], /Only what was made up was looked at\.$/);
    const calm = await examineOnly(machine, finds());
    const lines = examinationHeadline(calm, machine.target);
    assert.deepEqual(lines, ["Nothing wrong was found", "Only what was made up was looked at."]);
  });

  test("that could not be taken says nothing", async () => {
    const blind = { id: "blind", what: "nothing", look: () => Promise.reject(new Error("not permitted")) };
    const found = await examineOnly(machine, blind);
    assert.equal(found.diagnosis.verdict, "inconclusive");
    const lines = examinationHeadline(found, machine.target);
    assert.deepEqual(lines, ["Could not look at nothing", "not permitted."]);
  });
});
