// A gateway that fails as soon as it is started, each time in the way of its first argument.
import { createServer } from "node:net";

const WAYS: Record<string, (argument: string) => void> = {
  throw: () => {
    throw new TypeError("Cannot read properties of undefined (reading 'channels')");
  },
  reject: () => void Promise.reject(new TypeError("fetch failed")),
  abort: () => process.abort(),
  // with --stack-size beyond the system's limit this leaves the stack, and the kernel ends it
  overflow: () => overflow(0),
  heap: () => {
    const kept: number[][] = [];
    while (true) kept.push(new Array<number>(100_000).fill(kept.length));
  },
  // outside V8's heap: only the machine or a cgroup limits it
  memory: () => {
    const kept: Buffer[] = [];
    while (true) kept.push(Buffer.alloc(8 * 1024 * 1024, kept.length));
  },
  kill: () => void process.kill(process.pid, "SIGKILL"),
  import: (name) => void import(name),
  listen: (port) => void createServer().listen(Number(port), "127.0.0.1"),
};

console.log("loading configuration");
const [way = "", argument = ""] = process.argv.slice(2);
WAYS[way]!(argument);

function overflow(depth: number): number {
  return 1 + overflow(depth + 1);
}
