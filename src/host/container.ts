import { access } from "node:fs/promises";

/** What Docker, and Podman, put into every container of theirs. */
const MARKS = ["/.dockerenv", "/run/.containerenv"];

/** Whether this is the inside of a container. */
export async function isInContainer(): Promise<boolean> {
  const found = await Promise.all(
    MARKS.map((path) =>
      access(path).then(
        () => true,
        () => false,
      ),
    ),
  );
  return found.includes(true);
}
