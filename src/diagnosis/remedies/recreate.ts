import { ClawkitError } from "../../core/errors.ts";
import { composeAt, composeUp, serviceHashes, upCommand } from "./compose-project.ts";
import type { UndoStep } from "./types.ts";

/** Makes a container as it was before a repair, if its file and the environment still say the same. */
export async function recreate({
  endpoint,
  project,
  hash,
}: Extract<UndoStep, { kind: "recreate" }>): Promise<void> {
  const compose = await composeAt(endpoint);
  const hashes = compose && (await serviceHashes(project, compose).catch(() => undefined));
  if (compose !== undefined && hashes?.get(project.service) === hash)
    return await composeUp(project, compose);
  const why =
    compose === undefined
      ? "there is no docker compose here"
      : "Compose would make another one than it was: the file, or the environment, has changed";
  throw new ClawkitError(
    "CONTROL_FAILED",
    `The files are as they were, the container is not, as ${why}; run in ${project.folder}: ${upCommand(project)}`,
  );
}
