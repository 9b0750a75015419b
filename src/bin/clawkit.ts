import { runCli } from "../cli/program.ts";
import { createContext } from "./cli-context.ts";

process.exit(await runCli(createContext("clawkit"), process.argv.slice(2)));
