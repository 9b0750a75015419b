import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Random } from "./random.ts";

/** What a random walk goes through: a state machine that can be asked for its next steps. */
export interface Model {
  /** What may happen next. */
  steps(): readonly (() => unknown)[];
  /** Lets everything under way come to its end. */
  settle(): void;
  /** Throws if anything was lost, repeated or reordered. */
  check(): void;
  close(): void;
}

/** Walks so many times through a model, each time another way; says which way it was that failed. */
export async function walk(
  make: (file: string) => Model,
  { walks, steps }: { readonly walks: number; readonly steps: number },
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "clawkit-model-"));
  try {
    for (let seed = 1; seed <= walks; seed++) walkOnce(make(join(folder, `${seed}.db`)), seed, steps);
  } finally {
    await rm(folder, { recursive: true });
  }
}

function walkOnce(model: Model, seed: number, steps: number): void {
  const random = new Random(seed);
  const taken: string[] = [];
  try {
    for (let i = 0; i < steps; i++) {
      const step = random.pick(model.steps());
      taken.push(String(step));
      step();
    }
    model.settle();
    model.check();
  } catch (error) {
    throw new Error(`walk ${seed}:\n${taken.join("\n")}`, { cause: error });
  } finally {
    model.close();
  }
}
