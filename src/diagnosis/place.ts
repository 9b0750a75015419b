import { authority } from "./facts/probe.ts";
import type { Target } from "./machine.ts";
import { localTarget } from "./target.ts";
import type { Cause } from "./types.ts";

/** Where the gateway of a report is: commands that a person is given must reach it. */
export type Place = Pick<Target, "host" | "port" | "isTls">;

/** What a text is about, as it rarely says more. */
export const USUAL_PLACE: Place = localTarget(18789, false);

/** The cause with commands for this gateway: `{http}` is its address, `{port}` its port, `{otherPort}` a free one beside it. */
export function placed(cause: Cause, place: Place): Cause {
  const remedies = cause.remedies.map(({ commands, ...remedy }) => ({
    ...remedy,
    ...(commands === undefined ? {} : { commands: commands.map((command) => fill(command, place)) }),
  }));
  return { ...cause, remedies };
}

function fill(command: string, place: Place): string {
  const { port } = place;
  const values = { http: httpOf(place), port, otherPort: port === 65_535 ? port - 1 : port + 1 };
  return command.replace(/\{(http|port|otherPort)\}/g, (_, name: keyof typeof values) =>
    String(values[name]),
  );
}

/** `http://127.0.0.1:18789`, where its HTTP endpoints are. */
export function httpOf(place: Place): string {
  return `${place.isTls ? "https" : "http"}://${authority(place)}`;
}
