/** A signal that aborts on Ctrl-C or SIGTERM; the second Ctrl-C leaves at once (children are still killed). */
export function interruptSignal(): AbortSignal {
  const controller = new AbortController();
  const processOnSignal = (signal: NodeJS.Signals) => {
    if (controller.signal.aborted) process.exit(130);
    process.exitCode = 130;
    controller.abort(new Error(`Interrupted by ${signal}`));
  };
  process.on("SIGINT", processOnSignal);
  process.on("SIGTERM", processOnSignal);
  return controller.signal;
}
