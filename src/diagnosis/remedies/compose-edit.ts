import { ClawkitError, messageOf } from "../../core/errors.ts";
import { lineDiff } from "../../core/line-diff.ts";
import type { DockerEngine } from "../../host/docker.ts";
import type { Container } from "../../host/docker-container.ts";
import { isUp } from "../facts/gateway-containers.ts";
import type { Machine } from "../machine.ts";
import { changedBeside } from "./compose-file.ts";
import {
  type Compose,
  type ComposeProject,
  composeAt,
  composeUp,
  serviceHashes,
  upCommand,
} from "./compose-project.ts";
import { replaceUnchanged } from "./shared.ts";
import type { Plan } from "./types.ts";

const START_MS = 90_000;

/** What one file of a project becomes: the compose file, or `.env` beside it. */
export interface Edit {
  readonly project: ComposeProject;
  readonly path: string;
  readonly before: string;
  readonly after: string;
}

/** Where it is made. */
export interface EditPlace {
  readonly machine: Machine;
  readonly engine: DockerEngine;
}

/** The edit alone: it counts when the container is made anew for another reason. */
export function editPlan(edit: Edit, what: string, { machine, engine }: EditPlace): Plan {
  return {
    what: `${what} in ${edit.path}`,
    risk: "disruptive",
    files: [edit.path],
    diff: lineDiff(edit.before, edit.after),
    apply: async () => await write(edit, await composeAt(engine.endpoint, machine.env)),
  };
}

/** The edit, and the container made anew: that ends the one that there is. */
export function recreationPlan(edit: Edit, what: string, container: Container, place: EditPlace): Plan {
  const { machine, engine } = place;
  const { project } = edit;
  const { service, folder, up } = project;
  const hash = hashOf(container) ?? "";
  const plan = editPlan(edit, what, place);
  return {
    ...plan,
    what: `${plan.what}, and make its container anew (${upCommand(project)})`,
    undo: [{ kind: "recreate", endpoint: engine.endpoint, project: { service, folder, up }, hash }],
    settleMs: START_MS,
    apply: async () => {
      const compose = await composeAt(engine.endpoint, machine.env);
      if (compose === undefined) throw refused(edit, "there is no docker compose here");
      const hashes = await serviceHashes(project, compose).catch(() => undefined);
      // with another environment, or a file that was edited since, it would get other mounts, or no token
      if (hashes?.get(service) !== hash) {
        throw refused(
          edit,
          "Compose would make another container now: its file, or the environment, is not what it was",
        );
      }
      await write(edit, compose);
      try {
        await composeUp(project, compose);
      } catch (error) {
        throw await asItWas(edit, compose, container, engine, error);
      }
    },
  };
}

/** Throws, and the file is as it was, if a service beside the one that is meant would become another. */
async function write(edit: Edit, compose: Compose | undefined): Promise<void> {
  const { project, path, before, after } = edit;
  const inFile = path === project.file ? await changedBeside(before, after, project.service) : [];
  if (inFile.length > 0) throw refused(edit, sharedWith(inFile));
  const old =
    compose === undefined ? undefined : await serviceHashes(project, compose).catch(() => undefined);
  await replaceUnchanged(path, before, after);
  if (compose === undefined || old === undefined) return;
  try {
    const now = await serviceHashes(project, compose);
    const changed = [...now.keys()].filter(
      (name) => name !== project.service && now.get(name) !== old.get(name),
    );
    if (changed.length > 0) throw refused(edit, sharedWith(changed));
  } catch (error) {
    await replaceUnchanged(path, after, before);
    throw error;
  }
}

/** After a container that could not be made: the file and the container as they were, and what became of that. */
async function asItWas(
  { project, path, before, after }: Edit,
  compose: Compose,
  container: Container,
  engine: DockerEngine,
  error: unknown,
): Promise<ClawkitError> {
  const why = `Cannot make the container of ${project.service} anew: ${messageOf(error)}`;
  await replaceUnchanged(path, after, before);
  if (!isUp(container)) return new ClawkitError("CONTROL_FAILED", `${why}; ${path} is as it was`);
  const isBack = await composeUp(project, compose)
    .catch(() => engine.start(container.id))
    .then(
      () => true,
      () => false,
    );
  // Compose 1 leaves the old one, if it is still there, with the name that it gives what it is about to remove
  const old = await engine.container(container.id).catch(() => undefined);
  if (old !== undefined && old.name !== container.name) {
    await engine.rename(old.id, container.name).catch(() => undefined);
  }
  const now = isBack
    ? "and its container is up as it was"
    : `and its container is down: run in ${project.folder}: ${upCommand(project)}`;
  return new ClawkitError("CONTROL_FAILED", `${why}; ${path} is as it was, ${now}`, { cause: error });
}

function refused({ project, path }: Edit, why: string): ClawkitError {
  const byHand = `change ${path} as --dry-run shows, and run in ${project.folder}: ${upCommand(project)}`;
  return new ClawkitError("CONTROL_FAILED", `Not done, as ${why}; do it yourself: ${byHand}`);
}

function sharedWith(services: readonly string[]): string {
  const many = services.length > 1;
  return `${services.join(", ")} ${many ? "share" : "shares"} these lines and would change, too`;
}

function hashOf({ labels }: Container): string | undefined {
  return labels["com.docker.compose.config-hash"];
}
