import type { Config } from "../../config/schema.ts";
import type { Machine } from "../machine.ts";
import type { Plan } from "../remedies/types.ts";

/** What should be otherwise before it breaks again. */
export interface Advice {
  readonly id: string;
  readonly title: string;
  /** Why, with the number's source. */
  readonly reason: string;
  readonly current: string;
  /** `ok`: nothing to do; `change`: `plan` does it; `yours`: only a person can. */
  readonly state: "ok" | "change" | "yours";
  readonly plan?: Plan;
  /** What a person has to do once the plan is carried out. */
  readonly afterwards?: string;
  /** What a person would type. */
  readonly command?: string;
}

/** Our own installation, as the advice looks at it. */
export interface Own {
  readonly machine: Machine;
  /** In force, with what the environment overrides. */
  readonly config: Config;
  /** What the file says, with defaults. */
  readonly file: Config;
  readonly set: SetKeys;
}

/** Sets keys of the config file to JSON5 literals. */
export type SetKeys = (values: Readonly<Record<string, string>>, more?: SetOptions) => Plan;

export interface SetOptions {
  /** Without it `safe`. */
  readonly risk?: Plan["risk"];
  /** Keys whose values nobody is shown; the file is then readable to its owner only. */
  readonly secret?: readonly string[];
}
