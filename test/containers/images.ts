import { ROOT } from "../helpers/clawkit.ts";
import { makeBaseImage } from "./base-image.ts";
import { docker } from "./engine.ts";

export const GATEWAY_IMAGE = "openclaw/gateway:latest";

/** Builds the image of this checkout, and what it starts from. */
export function buildImages(): void {
  makeBaseImage();
  // the host's network, as the engine of the tests has no NAT for its own
  docker("build", "--network", "host", "--tag", GATEWAY_IMAGE, ROOT);
}

if (import.meta.main) buildImages();
