import { dirname, resolve } from "node:path";
import type { GatewayToSupervisor, ModuleSettings } from "../core/messages.ts";
import { isOwnName } from "../gateway/methods/index.ts";
import { Modules } from "../gateway/modules/modules.ts";
import { startModule } from "./module-process.ts";
import { realClock } from "./real.ts";

/** The modules of a gateway, each a process of its own. */
export function modulesOf(
  settings: ModuleSettings,
  tell: (message: GatewayToSupervisor) => void,
  log = (line: string) => console.log(line),
): Modules {
  const folder = dirname(settings.configPath);
  const modules = new Modules(
    settings.modules.map((path) => resolve(folder, path)),
    {
      start: startModule,
      log,
      now: () => realClock.now(),
      isOwn: isOwnName,
      onChanged: () => {
        const troubles = modules
          .inspect()
          .flatMap(({ path, trouble }) => (trouble ? [`${path} ${trouble}`] : []));
        tell({ type: "modules", troubles });
      },
    },
  );
  return modules;
}
