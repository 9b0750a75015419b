import { isCorruption } from "../recorder/database-file.ts";
import { type Journal, NotOwner } from "./journal/journal.ts";

/** Commits of this size take a few milliseconds; what is beyond waits for the next turn of the loop. */
const MAX_TASKS = 256;

/** What nobody waits for is written with the next commit, or this much later. */
const LAZY_MS = 250;

export interface Task {
  /** Runs within a commit. What it changes in memory it tells `undo` how to take back. */
  readonly work: () => void;
  /** The commit failed: nothing of `work` is written. */
  readonly failed: (error: unknown) => void;
  /** It may take the process with it: nobody else's work is in its commit. */
  readonly isAlone?: boolean;
  /** Others go first, each turn; alone, in its order among its like. */
  readonly isPatient?: boolean;
}

export interface CommitsDeps {
  readonly journal: Journal;
  /** Another gateway owns the journal, or it is broken: this gateway has to go. */
  readonly onUnusable: (error: Error) => void;
}

/** Gathers the work of a turn of the event loop into one commit, and does what may be seen outside only behind it. */
export class Commits {
  readonly #deps: CommitsDeps;
  readonly #tasks: Task[] = [];
  readonly #patient: Task[] = [];
  readonly #lazy = new Set<() => void>();
  #lazyTimer: NodeJS.Timeout | undefined;
  #isPlanned = false;
  #isClosed = false;
  #undo: (() => void)[] = [];
  #last = new Set<() => void>();
  #after: (() => void)[] = [];
  #isInEffects = false;
  readonly #behindEffects: Task[] = [];

  constructor(deps: CommitsDeps) {
    this.#deps = deps;
  }

  /** Plans a task for the end of this turn. */
  add(task: Task): void {
    if (this.#isClosed) return;
    (task.isPatient ? this.#patient : this.#tasks).push(task);
    this.#plan();
  }

  /** Plans work that nobody waits for; once, however often the same function is given. */
  addLazy(work: () => void): void {
    this.#lazy.add(work);
    this.#lazyTimer ??= setTimeout(() => this.#plan(), LAZY_MS);
  }

  /** Commits a task at once; called by an effect of a commit, behind all of its effects. Not within a commit. */
  now(task: Task): void {
    if (this.#isClosed) return;
    if (this.#isInEffects) this.#behindEffects.push(task);
    else this.#commit([task]);
  }

  /** Within a task: what takes its change of memory back if the commit fails. */
  undo(undo: () => void): void {
    this.#undo.push(undo);
  }

  /** Within a task: written at the end of the commit; once, however often the same function is given. */
  last(work: () => void): void {
    this.#last.add(work);
  }

  /** Within a task: done once it is written. */
  after(effect: () => void): void {
    this.#after.push(effect);
  }

  /** Commits what is planned, now. Not within a commit. */
  flush(): void {
    while (this.#tasks.length > 0) this.#commit(this.#next());
    for (const task of this.#patient.splice(0)) this.#commit([task]);
  }

  /** Commits what is planned, and takes no more. */
  close(): void {
    this.flush();
    this.#commit([]);
    this.#isClosed = true;
    clearTimeout(this.#lazyTimer);
  }

  #plan(): void {
    if (this.#isPlanned) return;
    this.#isPlanned = true;
    setImmediate(() => {
      this.#isPlanned = false;
      if (this.#isClosed) return;
      this.#commit(this.#next());
      this.#commit(this.#patient.splice(0, 1));
      if (this.#tasks.length + this.#patient.length > 0) this.#plan();
    });
  }

  #next(): Task[] {
    if (this.#tasks[0]?.isAlone) return this.#tasks.splice(0, 1);
    const alone = this.#tasks.slice(0, MAX_TASKS).findIndex(({ isAlone }) => isAlone);
    return this.#tasks.splice(0, alone === -1 ? MAX_TASKS : alone);
  }

  #commit(tasks: readonly Task[]): void {
    const lazy = [...this.#lazy];
    this.#lazy.clear();
    clearTimeout(this.#lazyTimer);
    this.#lazyTimer = undefined;
    if (tasks.length === 0 && lazy.length === 0) return;
    this.#undo = [];
    this.#last = new Set();
    this.#after = [];
    try {
      this.#deps.journal.commit(() => {
        for (const { work } of tasks) work();
        for (const work of lazy) work();
        for (const work of this.#last) work();
      });
    } catch (error) {
      for (const undo of this.#undo.reverse()) undo();
      for (const work of lazy) this.#lazy.add(work); // with the next commit that works
      this.#onFailed(tasks, error as Error);
      return;
    }
    this.#isInEffects = true;
    for (const effect of this.#after.splice(0)) effect();
    this.#isInEffects = false;
    for (const task of this.#behindEffects.splice(0)) this.#commit([task]);
  }

  /** One client's trouble is not everybody's: what is none of the disk is looked for task by task. */
  #onFailed(tasks: readonly Task[], error: Error): void {
    if (error instanceof NotOwner || isCorruption(error)) this.#deps.onUnusable(error);
    else if (tasks.length > 1 && !isOfDisk(error)) for (const task of tasks) this.#commit([task]);
    else for (const { failed } of tasks) failed(error);
  }
}

/** What SQLite says of files, space and locks, and not of what it was told (SQLITE_CONSTRAINT). */
function isOfDisk(error: unknown): boolean {
  const code = (error as { errcode?: number }).errcode;
  return code !== undefined && (code & 0xff) !== 19;
}
