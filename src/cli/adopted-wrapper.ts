import { chmod, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { shellWord } from "../core/shell-word.ts";
import { ensurePrivateDir, writeFileAtomic } from "../host/files.ts";
import type { CliContext } from "./context.ts";
import { ShellProfile } from "./shell-profile.ts";

const ADDED_BY = "clawkit adopt";

/** Why there can be no wrapper here; undefined if there can. */
export function whyNoWrapper(context: CliContext): string | undefined {
  if (ShellProfile.of(context, ADDED_BY) !== undefined) return undefined;
  return context.platform === "win32"
    ? "a shell of Windows has no profile that could put it first"
    : `the profile of ${context.env.SHELL ?? "this shell"} is not known`;
}

/** Puts an `openclaw` before the real one that sends `gateway start` and `gateway stop` to ClawKit. */
export async function installWrapper(context: CliContext, command: readonly string[]): Promise<string> {
  const { paths } = context;
  const path = join(paths.adoptedBinDir, "openclaw");
  await ensurePrivateDir(paths.adoptedBinDir); // whoever could write there would be called by every shell
  await writeFileAtomic(path, script(context, command));
  await chmod(path, 0o755);
  const line = pathLine(context);
  await ShellProfile.of(context, ADDED_BY)?.add(line);
  return line;
}

/** Returns what was removed, for people. */
export async function removeWrapper(context: CliContext): Promise<string[]> {
  const { adoptedBinDir } = context.paths;
  const wasThere = (await stat(adoptedBinDir).catch(() => undefined)) !== undefined;
  await rm(adoptedBinDir, { recursive: true, force: true });
  const profile = ShellProfile.of(context, ADDED_BY);
  const wasInProfile = (await profile?.remove()) ?? false;
  return [
    ...(wasThere ? [`removed: ${adoptedBinDir}`] : []),
    ...(wasInProfile ? [`removed its line from ${profile?.path}`] : []),
  ];
}

function pathLine({ paths }: CliContext): string {
  return `export PATH="${paths.adoptedBinDir}:$PATH"`;
}

/** Anything but those commands is the real one's, also behind options that may mean another gateway (`--profile`). */
function script({ self, paths }: CliContext, command: readonly string[]): string {
  return `#!/bin/sh
# ${ADDED_BY}: gateway start and gateway stop go to ClawKit, which looks after this OpenClaw's gateway
case "\${1-} \${2-}" in
"gateway start" | "gateway stop")
  case " $* " in
  *" --help "* | *" -h "*) ;;
  *" --json "*) CLAWKIT_STATE_DIR=${shellWord(paths.stateDir)} exec ${shellWord(self.node)} ${shellWord(self.entry)} gateway "$2" --json ;;
  *) CLAWKIT_STATE_DIR=${shellWord(paths.stateDir)} exec ${shellWord(self.node)} ${shellWord(self.entry)} gateway "$2" ;;
  esac
  ;;
esac
exec ${command.map(shellWord).join(" ")} "$@"
`;
}
