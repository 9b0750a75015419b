import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { afterAnOutage } from "../../test/helpers/after-an-outage.ts";
import { ControlRig } from "../../test/helpers/control-rig.ts";
import { ask } from "../../test/helpers/http.ts";
import { allCauses } from "../diagnosis/causes/index.ts";
import { infer } from "../diagnosis/infer.ts";
import type { Fact } from "../diagnosis/types.ts";
import type * as Contract from "./contract.ts";

describe("playbooks", () => {
  it("are listed and read in sections with their steps", async () => {
    await using rig = await ControlRig.start();
    const headers = await rig.signedIn();
    const { json: list } = await rig.api<Contract.PlaybookList>("/playbooks", { headers });
    assert.ok(list.playbooks.some(({ code, title }) => code === "1006" && /1006/.test(title)));
    const { json } = await rig.api<Contract.Playbook>("/playbooks/1006", { headers });
    const steps = json.sections.flatMap(({ lines }) => lines.filter(({ step }) => step !== undefined));
    assert.ok(steps.some(({ text, canRun }) => canRun === true && text.startsWith("ps aux")));
    assert.ok(steps.some(({ canRun }) => canRun === false));
  });

  it("an answer is kept, with what was said", async () => {
    await using rig = await ControlRig.start();
    const json = { playbook: "1006", solved: "partly", note: "the second step" };
    const answer = await rig.api<Contract.FeedbackTaken>("/feedback", {
      method: "POST",
      json,
      headers: await rig.signedIn(),
    });
    assert.deepEqual(answer.json, { ok: true, cause: null });
    const kept = JSON.parse(await readFile(join(rig.stateDir, "feedback.jsonl"), "utf8")) as object;
    assert.deepEqual(kept, {
      at: "2026-11-22T10:00:00.000Z",
      playbook: "1006",
      solved: "partly",
      cause: null,
      note: "the second step",
    });
  });

  it("an answer counts for the cause of that playbook, and changes the order at once", async () => {
    // as much speaks for the one as for the other: the field's experience decides
    const causes = allCauses.filter(({ id }) => id === "payload-too-large" || id === "config-reload-restart");
    const facts: Fact[] = [{ id: "f", detail: "", source: "" }];
    const tied = causes.map((cause) => ({ ...cause, possibleIf: [["f"]] }));
    await using rig = await ControlRig.start({
      clawkit: async () => ({
        exitCode: 1,
        stdout: JSON.stringify({ ...infer(facts, tied), facts, notLooked: [], checksRun: 1 }),
        stderr: "",
      }),
    });
    const headers = await rig.signedIn();
    await runEvents(rig, "/doctor");
    const order = async () =>
      (await rig.api<Contract.LastDoctor>("/doctor", { headers })).json.last!.report.causes.map(
        ({ id, seenHere }) => `${id} ${seenHere ?? 0}`,
      );
    const say = async (playbook: string, solved: string) =>
      (
        await rig.api<Contract.FeedbackTaken>("/feedback", {
          method: "POST",
          json: { playbook, solved },
          headers,
        })
      ).json.cause;
    const [first, second] = (await order()).map((text) => text.split(" ")[0]!);
    const bookOf: Record<string, string> = { "payload-too-large": "1009", "config-reload-restart": "4001" };
    assert.equal(await say(bookOf[second!]!, "yes"), second, "not the one that stood first");
    assert.deepEqual(await order(), [`${second} 1`, `${first} 0`]);
    assert.equal(await say(bookOf[second!]!, "partly"), second, "speaks neither for nor against");
    assert.deepEqual(await order(), [`${second} 1`, `${first} 0`]);
    for (const _ of [1, 2]) await say(bookOf[second!]!, "no");
    assert.deepEqual(await order(), [`${first} 0`, `${second} -1`]);
    assert.equal(await say("1001", "yes"), null, "nothing that was found is of that playbook");
    assert.deepEqual(await order(), [`${first} 0`, `${second} -1`]);
  });
});

/** Asks for something that answers with events, and reads them all. */
async function runEvents(rig: ControlRig, path: string): Promise<string> {
  const headers = { ...(await rig.signedIn()), Host: `127.0.0.1:${rig.port}` };
  const { body } = await ask(rig.port, `/__clawkit__/api/v1${path}`, { method: "POST", headers });
  return body.toString();
}

/** Runs the step with this command. */
async function runStep(rig: ControlRig, code: string, command: string, more: object = {}) {
  const headers = await rig.signedIn();
  const { json } = await rig.api<Contract.Playbook>(`/playbooks/${code}`, { headers });
  const line = json.sections.flatMap(({ lines }) => lines).find(({ text }) => text === command)!;
  const answer = await rig.api<Contract.StepResult>(`/playbooks/${code}/run`, {
    method: "POST",
    json: { step: line.step, ...more },
    headers,
  });
  return { line, ...answer };
}

describe("a step of a playbook", () => {
  const says = (said: object) => async () => ({ exitCode: 0, stdout: JSON.stringify(said), stderr: "" });
  const fact = (id: string, detail: string): Fact => ({ id, detail, source: "" });

  it("is answered with what was found and what that means, for it and for its section", async () => {
    const cause = { id: "port-conflict", title: "", verdict: "confirmed", evidence: [], remedies: [] };
    const facts = [fact("no-gateway-process", "no process of a gateway lives")];
    const report = { verdict: "confirmed", causes: [cause], facts, notLooked: [] };
    await using rig = await ControlRig.start({ clawkit: says(report) });
    const { json, line } = await runStep(rig, "1006", 'ps aux | grep "openclaw gateway" | grep -v grep');
    assert.deepEqual(json, {
      apiVersion: 1,
      step: line.step,
      command: line.text,
      found: ["no process of a gateway lives"],
      means: "No process of a gateway lives. Root Cause 1 does not hold, as it is port-conflict (confirmed).",
    });
    const { json: other } = await runStep(rig, "1006", "lsof -i :18789");
    assert.equal(other.means, "It could not be told who listens there.", "a section about no cause");
    const kept = await rig.api<Contract.LastDoctor>("/doctor", { headers: await rig.signedIn() });
    assert.equal(kept.json.last?.report.verdict, "confirmed");
  });

  it("that a command of ours answers runs that, with its own arguments", async () => {
    const ran: string[] = [];
    await using rig = await ControlRig.start({
      clawkit: async (args) => {
        ran.push(args.join(" "));
        return { exitCode: 0, stdout: "[]", stderr: "" };
      },
    });
    const { json } = await runStep(rig, "1001", "clawkit connections --closed --since 1h");
    assert.deepEqual([json.means, ran], ["No connection ended.", ["connections --closed --since 1h --json"]]);
  });

  it("that finds nothing recorded says so", async () => {
    const error = { code: "NOTHING_RECORDED", message: "Cannot show a crash as none is recorded" };
    await using rig = await ControlRig.start({ clawkit: says({ ok: false, error }) });
    assert.equal((await runStep(rig, "1012", "clawkit crash show")).json.means, "No process ended unasked.");
  });

  it("is answered from logs, config and environment, without a secret", async () => {
    await using rig = await afterAnOutage();
    const logs = (await runStep(rig, "1006", "openclaw logs --follow")).json;
    assert.equal(logs.means, "Ended; the line before was: last words.");
    const recent = (await runStep(rig, "1012", "clawkit logs --source gateway --since 10m")).json;
    assert.ok(!recent.found.some((text) => text.includes("long ago")));
    const auth = (await runStep(rig, "1008", "clawkit config get gateway.auth")).json;
    assert.deepEqual(auth.found, ['mode: "token"', 'token: "[redacted]"']);
    const variables = (await runStep(rig, "1008", "env | grep -c GATEWAY_TOKEN")).json;
    assert.deepEqual(variables.found, ["1", "OPENCLAW_GATEWAY_TOKEN"]);
  });

  it("that a broken config answers says what is wrong with it", async () => {
    await using rig = await ControlRig.start({
      config: async () => {
        throw new Error("config.json5:1: unknown key gatewy");
      },
    });
    const { json } = await runStep(rig, "1012", "clawkit config get supervisor.hangRestartSec");
    assert.deepEqual(
      [json.found, json.means],
      [["config.json5:1: unknown key gatewy"], "The config cannot be used as it is."],
    );
  });

  it("that changes something says what it would do, and does it for whoever confirms", async () => {
    const ran: string[] = [];
    await using rig = await ControlRig.start({
      clawkit: async (args) => {
        ran.push(args.join(" "));
        return { exitCode: 0, stdout: JSON.stringify(rig.status), stderr: "" };
      },
    });
    const restart = (more?: object) => runStep(rig, "1006", "openclaw gateway restart", more);
    const asked = await restart();
    assert.equal(asked.line.needsConfirm, true);
    const { found, means, needsConfirm } = asked.json;
    assert.deepEqual(
      [found, means, needsConfirm],
      [
        ["it would restart the gateway (pid 3): 5 clients are told 1012, and come back"],
        "Nothing was done: it waits for your yes.",
        true,
      ],
    );
    await restart({ confirm: "yes" });
    assert.deepEqual([ran, rig.asked], [[], []], "only true is a yes");

    const done = (await restart({ confirm: true })).json;
    assert.deepEqual(ran, ["gateway restart --json"]);
    assert.equal(done.means, "Clients are served at ws://127.0.0.1:18789.");
    assert.equal(done.needsConfirm, undefined);
    assert.match(rig.logged.join("\n"), /^asked for gateway restart \(console session/m);
  });

  it("that stops is answered before its server ends with it", async () => {
    const started = Promise.withResolvers<void>();
    await using rig = await ControlRig.start({
      clawkit: (_args, { signal }) =>
        new Promise((_, reject) => {
          started.resolve();
          signal.addEventListener("abort", () => reject(new Error("ended")));
        }),
    });
    const { json } = await runStep(rig, "1006", "openclaw gateway stop", { confirm: true });
    assert.match(json.means, /^The console ends with it/);
    await started.promise;
  });

  it("that fails says why", async () => {
    const error = { code: "PORT_IN_USE", message: "Cannot start the gateway as port 18789 is in use" };
    await using rig = await ControlRig.start({ mode: "alone", clawkit: says({ ok: false, error }) });
    rig.status = { ...rig.status, state: "foreign", url: null };
    const { json: would } = await runStep(rig, "1012", "clawkit gateway start");
    assert.deepEqual(would.found, ["it would fail: another program has port 18789"]);
    const { json } = await runStep(rig, "1012", "clawkit gateway start", { confirm: true });
    assert.deepEqual([json.found, json.means], [[error.message], "It failed: gateway start was not done."]);
  });

  it("that is none of those is refused, and nothing is run", async () => {
    const ran: string[] = [];
    await using rig = await ControlRig.start({
      clawkit: async (args) => {
        ran.push(args.join(" "));
        return { exitCode: 0, stdout: "{}", stderr: "" };
      },
    });
    for (const command of ["lsof -ti :18789 | xargs kill -9", "docker compose up -d openclaw-gateway"]) {
      const { line, status } = await runStep(rig, "1006", command, { confirm: true });
      assert.deepEqual([line.canRun, status], [false, 404], command);
    }
    const headers = await rig.signedIn();
    for (const step of ["99.0", "0.99", "x", "1", "-1.0"]) {
      const answer = await rig.api("/playbooks/1006/run", { method: "POST", json: { step }, headers });
      assert.equal(answer.status, 404, step);
    }
    assert.deepEqual(ran, []);
  });
});
