import assert from "node:assert/strict";
import { test } from "node:test";
import { commandLine } from "./drive.ts";
import { managerFor, managersOf, type Place } from "./place.ts";
import type { ServiceManager, ServiceVerb } from "./types.ts";

const linux: Place = {
  platform: "linux",
  uid: 1000,
  home: "/home/ada",
  configHome: "/home/ada/.config",
  stateDir: "/home/ada/.clawkit",
  isSystemdBooted: true,
  isContainer: false,
  isWsl: false,
  runtimeDir: "/run/user/1000",
};
const mac: Place = { ...linux, platform: "darwin", uid: 501, home: "/Users/ada", isSystemdBooted: false };
const windows: Place = { ...linux, platform: "win32", uid: undefined, stateDir: "C:\\Users\\ada\\.clawkit" };

for (const { name, place, system = false, is } of [
  { name: "Linux: systemd of the user", place: linux, is: "systemd (user)" },
  { name: "Linux, --system as root", place: { ...linux, uid: 0 }, system: true, is: "systemd" },
  { name: "Linux, --system as a user", place: linux, system: true, is: /needs root: sudo/ },
  { name: "no user manager", place: { ...linux, runtimeDir: undefined }, is: /enable-linger/ },
  { name: "root without one", place: { ...linux, uid: 0, runtimeDir: undefined }, is: /install --system/ },
  {
    name: "a container",
    place: { ...linux, isSystemdBooted: false, isContainer: true },
    is: /restart: unless-stopped/,
  },
  { name: "a container with systemd", place: { ...linux, isContainer: true }, is: "systemd (user)" },
  {
    name: "WSL without systemd",
    place: { ...linux, isSystemdBooted: false, isWsl: true },
    is: /\/etc\/wsl\.conf/,
  },
  { name: "WSL with systemd", place: { ...linux, isWsl: true }, is: "systemd (user)" },
  { name: "another init", place: { ...linux, isSystemdBooted: false }, is: /exit code 78/ },
  { name: "macOS", place: mac, is: "launchd" },
  { name: "macOS, --system", place: mac, system: true, is: /--system is for systemd/ },
  { name: "Windows", place: windows, is: "Windows task" },
  { name: "FreeBSD", place: { ...linux, platform: "freebsd" as const }, is: /gateway run/ },
]) {
  test(`where: ${name}`, () => {
    const found = managerFor(place, { system });
    const text = typeof found === "string" ? found : found.name;
    if (typeof is === "string") assert.equal(text, is);
    else assert.match(text, is);
  });
}

const plist = "/Users/ada/Library/LaunchAgents/dev.clawkit.gateway.plist";
const xml = "C:\\Users\\ada\\.clawkit\\service\\ClawKit.xml";

/** The manuals: systemctl(1), launchctl(1) of macOS 10.11 and newer, schtasks of Windows 10. */
const COMMANDS: Record<string, [Place, Record<ServiceVerb, string[]>]> = {
  "systemd (user)": [
    linux,
    {
      load: ["systemctl --user daemon-reload", "systemctl --user enable clawkit.service"],
      unload: ["systemctl --user disable clawkit.service"],
      forget: ["systemctl --user daemon-reload", "systemctl --user reset-failed clawkit.service"],
      start: ["systemctl --user start clawkit.service"],
      stop: ["systemctl --user stop clawkit.service"],
      restart: ["systemctl --user restart clawkit.service"],
    },
  ],
  launchd: [
    mac,
    {
      load: ["/bin/launchctl enable gui/501/dev.clawkit.gateway"],
      unload: ["/bin/launchctl bootout gui/501/dev.clawkit.gateway"],
      forget: [],
      start: [
        `/bin/launchctl bootstrap gui/501 ${plist}`,
        "/bin/launchctl kickstart gui/501/dev.clawkit.gateway",
      ],
      stop: ["/bin/launchctl bootout gui/501/dev.clawkit.gateway"],
      restart: [],
    },
  ],
  "Windows task": [
    windows,
    {
      load: [`schtasks.exe /Create /TN ClawKit /XML ${xml} /F`],
      unload: ["schtasks.exe /Delete /TN ClawKit /F"],
      forget: [],
      start: ["schtasks.exe /Change /TN ClawKit /ENABLE", "schtasks.exe /Run /TN ClawKit"],
      stop: ["schtasks.exe /Change /TN ClawKit /DISABLE"],
      restart: [],
    },
  ],
};

for (const [name, [place, verbs]] of Object.entries(COMMANDS)) {
  test(`${name}: what each verb runs`, () => {
    const manager = managerFor(place, { system: false }) as ServiceManager;
    for (const [verb, lines] of Object.entries(verbs)) {
      assert.deepEqual(manager.commands(verb as ServiceVerb).map(commandLine), lines, verb);
    }
  });
}

test("a user's manager is reached from a shell that does not know where it is", () => {
  const [user] = managersOf(linux);
  for (const { environment } of user!.commands("load")) {
    assert.deepEqual(environment, { XDG_RUNTIME_DIR: "/run/user/1000" });
  }
});
