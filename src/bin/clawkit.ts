import { runCli } from "../cli/program.ts";
import { createContext } from "./cli-context.ts";
import { exitWith } from "./real.ts";

await exitWith(await runCli(createContext("clawkit"), process.argv.slice(2)));
