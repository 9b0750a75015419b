/** Whether something happens within a time, and before it is no longer waited for. */
export async function isWithin(happens: Promise<unknown>, ms: number, signal: AbortSignal): Promise<boolean> {
  const over = Promise.withResolvers<boolean>();
  const giveUp = () => over.resolve(false);
  const timer = setTimeout(giveUp, ms);
  signal.addEventListener("abort", giveUp, { once: true });
  if (signal.aborted) giveUp();
  const happened = await Promise.race([happens.then(() => true), over.promise]);
  clearTimeout(timer);
  signal.removeEventListener("abort", giveUp);
  return happened;
}
