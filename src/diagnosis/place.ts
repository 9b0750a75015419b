import { authority } from "./facts/probe.ts";
import type { Target } from "./machine.ts";
import { localTarget } from "./target.ts";
import type { Cause, Fact } from "./types.ts";

/** Where the gateway of a report is: commands that a person is given must reach it. */
export type Place = Pick<Target, "host" | "port" | "isTls">;

/** What a text is about, as it rarely says more. */
export const USUAL_PLACE: Place = localTarget(18789, false);

/** What is called so on the playbook's page, as long as nobody knows better. */
const USUAL_NAMES = { container: "openclaw-gateway", service: "openclaw-gateway" };

/**
 * The cause with commands for this gateway: `{http}` is its address, `{port}` its port, `{otherPort}` a free one beside it;
 * `{container}` and `{service}` are its container and that one's service of Compose, as the facts name them.
 */
export function placed(cause: Cause, place: Place, facts: readonly Fact[] = []): Cause {
  const named = facts.find(({ names }) => names?.container !== undefined)?.names;
  const isOfContainer = (command: string) => named !== undefined && command.includes("{container}");
  const remedies = cause.remedies.map(({ text, commands, ...remedy }) => ({
    ...remedy,
    text: fill(text, place, named),
    ...(commands === undefined
      ? {}
      : {
          // who has a container is not to start the gateway beside it
          commands: [...commands]
            .sort((a, b) => Number(isOfContainer(b)) - Number(isOfContainer(a)))
            .map((command) => fill(command, place, named)),
        }),
  }));
  return { ...cause, remedies };
}

function fill(text: string, place: Place, names: Fact["names"]): string {
  const { port } = place;
  const otherPort = port === 65_535 ? port - 1 : port + 1;
  const values: Record<string, string | number> = {
    http: httpOf(place),
    port,
    otherPort,
    ...USUAL_NAMES,
    ...names,
  };
  return text.replace(/\{(http|port|otherPort|container|service)\}/g, (_, name: string) =>
    String(values[name]),
  );
}

/** `http://127.0.0.1:18789`, where its HTTP endpoints are. */
export function httpOf(place: Place): string {
  return `${place.isTls ? "https" : "http"}://${authority(place)}`;
}
