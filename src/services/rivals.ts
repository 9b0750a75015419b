import type { ServiceFacts } from "../host/types.ts";

/**
 * The service of another gateway that runs, or that its manager starts again: at the next boot or logon two that are
 * both enabled fight for the port, for ever.
 */
export function rivalOf(services: readonly ServiceFacts[]): ServiceFacts | undefined {
  return services.find(isRival);
}

export function isRival(service: ServiceFacts): boolean {
  return !/clawkit/i.test(service.name) && (service.isRunning || !isSwitchedOff(service));
}

function isSwitchedOff({ manager, switchedOff, state }: ServiceFacts): boolean {
  return manager === "Windows task" ? state === "Disabled" : switchedOff !== undefined;
}

/** What a person types so that it stays off. */
export function switchOffCommand({ manager, name }: ServiceFacts): string {
  switch (manager) {
    case "systemd":
      return `sudo systemctl disable --now ${name}`;
    case "systemd (user)":
      return `systemctl --user disable --now ${name}`;
    case "launchd": // launchd loads what lies there at the next login, whatever was unloaded
      return `launchctl bootout gui/$(id -u)/${name}; mv ~/Library/LaunchAgents/${name}.plist ~`;
    case "Windows task":
      return `schtasks /End /TN "${name}" & schtasks /Change /TN "${name}" /DISABLE`;
  }
}
