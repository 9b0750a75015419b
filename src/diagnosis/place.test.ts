import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { fact, finds, machineWith } from "../../test/helpers/machine.ts";
import { allCauses } from "./causes/index.ts";
import { examine } from "./doctor.ts";
import { explainText } from "./explain.ts";
import { examinationLines } from "./machine-report.ts";
import { localTarget, parseTarget } from "./target.ts";

/** Everything that the doctor tells a person to type about this gateway. */
async function commandsAbout(target: ReturnType<typeof parseTarget>, ...facts: string[]): Promise<string> {
  const machine = machineWith({ target });
  const examination = await examine(machine, [finds(...facts.map((id) => fact(id)))]);
  return examinationLines(examination, target, false)
    .map(({ text }) => text)
    .join("\n");
}

describe("commands that a person is given are about the gateway that was looked at:", () => {
  test("its port", async () => {
    const text = await commandsAbout(localTarget(20001, false), "port-foreign");
    assert.match(text, /-iTCP:20001 /);
    assert.match(text, /gateway\.port 20002 /);
  });

  test("its host, its TLS", async () => {
    const target = parseTarget("wss://[2001:db8::7]:8443");
    assert.match(
      await commandsAbout(target, "connect-unreachable"),
      /https:\/\/\[2001:db8::7\]:8443\/healthz/,
    );
  });

  test("also where nothing is decided", async () => {
    assert.match(await commandsAbout(localTarget(20001, false)), /http:\/\/127\.0\.0\.1:20001\/healthz/);
  });

  test("and the usual one where there is only a text", () => {
    const [cause] = explainText("openclaw: Error: listen EADDRINUSE: address already in use").causes;
    assert.match(cause?.remedies[0]?.commands?.join("\n") ?? "", /-iTCP:18789 /);
  });

  // whatever the container was called, a person was told to start openclaw-gateway, or a gateway beside it
  test("its container, before what is for a gateway without one", async () => {
    const machine = machineWith();
    const names = { container: "page-gw-1", service: "gw" };
    const facts = [fact("container-of-gateway", { names }), fact("ended-planned-stop")];
    const { diagnosis } = await examine(machine, [
      finds(...facts, "container-not-published", "connect-refused"),
    ]);
    const commandsOf = (id: string) => {
      const cause = diagnosis.causes.find((one) => one.id === id);
      return cause?.remedies.flatMap(({ commands = [] }) => commands) ?? [];
    };
    assert.match(commandsOf("planned-stop")[0]!, /^docker start page-gw-1 /);
    assert.ok(commandsOf("docker-port-not-published").includes("docker compose up -d gw"));
  });

  test("no cause names a port, or a container, of its own", () => {
    const commands = allCauses.flatMap(({ remedies }) => remedies.flatMap(({ commands = [] }) => commands));
    assert.deepEqual(
      commands.filter((command) => /18789|^docker .*openclaw-gateway/.test(command)),
      [],
    );
  });
});
