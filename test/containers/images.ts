import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";
import { ROOT } from "../helpers/clawkit.ts";
import { makeBaseImage } from "./base-image.ts";
import { docker, run } from "./engine.ts";

export const GATEWAY_IMAGE = "openclaw/gateway:latest";

/** Builds the image of this checkout, and what it starts from. Several test files may ask at once: one builds. */
export async function ensureImages(): Promise<void> {
  const lock = `${tmpdir()}/clawkit-test-images.lock`;
  await run("flock", lock, process.execPath, fileURLToPath(import.meta.url));
}

if (import.meta.main) {
  await makeBaseImage();
  // on the host's network: the engine of `.ci/run` gives containers no way out of their own
  await docker("build", "--network", "host", "--tag", GATEWAY_IMAGE, ROOT);
}
