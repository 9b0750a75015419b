import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { hostWith, machineWith, processWith } from "../../../test/helpers/machine.ts";
import type { PortOwner, ProcessFacts } from "../../host/types.ts";
import { parseTarget } from "../target.ts";
import { port } from "./port.ts";

/** The ids of what is found of a port with these owners. */
async function found(
  owners: PortOwner[],
  one?: ProcessFacts,
  url = "ws://127.0.0.1:28789",
): Promise<string[]> {
  const host = hostWith({ portOwners: async () => owners, process: async () => one });
  return (await port.look(machineWith({ host, target: parseTarget(url) }))).map(({ id }) => id);
}

const nginx = processWith({ command: "nginx: master process" });
const at = (address: string) => ({ address, pid: 4711 });

describe("the port", () => {
  test("is free, or another machine's", async () => {
    assert.deepEqual(await found([]), ["port-free"]);
    assert.deepEqual(await found([], undefined, "ws://10.0.0.5:28789"), []);
  });

  test("is free, and a connection of somebody's client has it; accepted ones keep nobody away", async () => {
    const held = async (one: ProcessFacts, changes = {}) => {
      const users = [{ address: "127.0.0.1", pid: one.pid, command: one.command }];
      const host = hostWith({ portUsers: async () => users, process: async () => one });
      return (await port.look(machineWith({ host, ...changes }))).map(({ id }) => id);
    };
    assert.deepEqual(await held(nginx), ["port-free", "port-held-by-client"]);
    const start = { v: 1, at: "", bootId: "boot", role: "gateway", generation: 1, event: "start" } as const;
    const own = { ...start, pid: nginx.pid, startTime: nginx.startTime, command: "", ownGroup: false };
    assert.deepEqual(await held(nginx, { ownProcesses: async () => [own] }), ["port-free"]);
  });

  test("is one program's, however many addresses it listens on", async () => {
    assert.deepEqual(await found([at("127.0.0.1"), at("::1")], nginx), ["port-foreign"]);
  });

  test("is a container's, as Docker's proxy listens for it", async () => {
    const proxy = processWith({
      command: "/usr/bin/docker-proxy -proto tcp -host-ip 0.0.0.0 -host-port 28789",
    });
    assert.deepEqual(await found([at("0.0.0.0")], proxy), ["port-docker"]);
  });

  for (const [executable, id] of [
    ["/Applications/Docker.app/Contents/MacOS/com.docker.backend", "port-docker"],
    ["C:\\Program Files\\Docker\\Docker\\resources\\com.docker.backend.exe", "port-docker"],
    ["C:\\Program Files\\WSL\\wslrelay.exe", "port-wsl"],
    ["/home/u/evil", "port-foreign"],
  ] as const) {
    test(`is ${id.slice("port-".length)} by the file ${executable}, whatever its arguments`, async () => {
      const command = "docker-proxy /usr/bin/docker-proxy wslrelay.exe";
      assert.deepEqual(await found([at("0.0.0.0")], processWith({ executable, command })), [id]);
    });
  }

  test("is somebody's whom this user may not see", async () => {
    assert.deepEqual(await found([{ address: "127.0.0.1" }]), ["port-owner-hidden"]);
  });

  test("was somebody's who has just ended", async () => assert.deepEqual(await found([at("127.0.0.1")]), []));

  const reach: [listens: string, asked: string, isReached: boolean][] = [
    ["0.0.0.0", "127.0.0.1", true],
    ["0.0.0.0", "[::1]", false],
    ["::", "127.0.0.1", true],
    ["::", "[::1]", true],
    ["127.0.0.1", "localhost", true],
    ["::1", "localhost", true],
    ["::1", "127.0.0.1", false],
    ["10.0.0.5", "127.0.0.1", false],
  ];
  for (const [listens, asked, isReached] of reach) {
    test(`at ${listens} is ${isReached ? "" : "not "}reached at ${asked}`, async () => {
      const ids = await found([at(listens)], nginx, `ws://${asked}:28789`);
      assert.equal(!ids.includes("listens-elsewhere"), isReached);
    });
  }
});
