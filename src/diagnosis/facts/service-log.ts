import { withoutSecrets } from "../../core/secrets.ts";
import type { ServiceLine } from "../../host/types.ts";
import type { Look } from "../machine.ts";
import type { Fact } from "../types.ts";
import { LOG_RULES, onlyOfNow } from "./openclaw-logs.ts";
import { SAID_OF_CLIENTS } from "./said-of-clients.ts";
import { readText } from "./text.ts";

/** A client's trouble stops no service. */
const RULES = LOG_RULES.filter(({ id }) => !SAID_OF_CLIENTS.includes(id));

/** What services that do not run printed last: an exit's reason stands right before it. */
export const serviceLog: Look = {
  id: "service-log",
  what: "what services that do not run printed",
  async look(machine) {
    const stopped = ((await machine.services()) ?? []).filter(({ isRunning }) => !isRunning);
    const logs = await Promise.all(
      stopped.map(async (service) => ({ ...service, lines: await machine.host.serviceLog(service) })),
    );
    const facts = logs.flatMap(({ name, lines = [] }) => factsOf(lines, `log of ${name}`));
    const unseen = logs.filter(({ lines }) => lines === undefined).map(({ name }) => name);
    if (unseen.length > 0 && facts.length === 0) {
      throw new Error(`nobody keeps it, or this user may not see it: ${unseen.join(", ")}`);
    }
    return await onlyOfNow(facts, machine);
  },
};

function factsOf(lines: readonly ServiceLine[], source: string): Fact[] {
  const facts = lines.flatMap(({ at, text }) =>
    readText(withoutSecrets(text), RULES).map(
      (fact): Fact => ({ ...fact, source, at: new Date(at).toISOString() }),
    ),
  );
  const last = lines.at(-1);
  if (last !== undefined) {
    facts.push({ id: "last-line", detail: last.text, source, at: new Date(last.at).toISOString() });
  }
  return facts;
}
