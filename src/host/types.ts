/** What this machine says about one process. Titles are for people; identity is pid and start time. */
export interface ProcessFacts {
  readonly pid: number;
  /** Absent where the platform does not say. */
  readonly parentPid?: number;
  /**
   * When it started, in the platform's own exact form (Linux: clock ticks since boot). Opaque: two equal values
   * with equal pid and boot id are the same process, whatever the pid was reused for since.
   */
  readonly startTime: string;
  /** The same by the wall clock (ms since 1970), where the platform tells it; a clock that was set moves it. */
  readonly startedAt?: number;
  readonly state: "running" | "sleeping" | "stopped" | "zombie" | "unknown";
  /** CPU time used so far, user and system, in milliseconds. */
  readonly cpuMs: number;
  /** Path of the executable; absent when this user may not look. */
  readonly executable?: string;
  /** The whole command line, arguments separated by spaces. */
  readonly command: string;
  /** The same, each by itself and the program first, where the system keeps them apart (not on macOS). */
  readonly args?: readonly string[];
  /** Absent if this user may not know. */
  readonly user?: string;
}

/** Who listens on a TCP port. */
export interface PortOwner {
  /** Local address it listens on, such as `127.0.0.1`, `::` or `0.0.0.0`; of a client the far end. */
  readonly address: string;
  /** Absent when this user may not see whose socket it is. */
  readonly pid?: number;
  readonly command?: string;
}

/** What a process uses now. */
export interface ProcessUsage {
  readonly rssBytes: number;
  /** The highest so far, where the system keeps it. */
  readonly peakRssBytes?: number;
  readonly openFiles?: number;
  /** The soft limit on them (RLIMIT_NOFILE). */
  readonly maxOpenFiles?: number;
}

/** What the service manager says of a service that starts a gateway. */
export interface ServiceFacts {
  readonly manager: "systemd" | "systemd (user)" | "launchd" | "Windows task";
  readonly name: string;
  readonly isRunning: boolean;
  /** In the manager's words: `failed (start-limit-hit)`, `not loaded`, `Ready`. */
  readonly state: string;
  /** Its operator, or a migration, switched it off: the manager's word for that (`disabled`, `masked`). */
  readonly switchedOff?: string;
  /** systemd gave up starting it (`Result=start-limit-hit`). */
  readonly isStartLimitHit?: boolean;
  /** It is installed and the manager does not have it loaded (launchd after a bootout). */
  readonly isNotLoaded?: boolean;
  /** It ends when its user logs out: a user service without linger. */
  readonly endsWithSession?: boolean;
  /** Its restart policy does not bring back what exits with 0. */
  readonly ignoresCleanExit?: boolean;
  /** Exit code of the last run, where the manager keeps it. */
  readonly lastExitCode?: number;
  /** NO_PROXY of a service whose own environment makes Node use a proxy; absent of any other. */
  readonly proxyExceptions?: string;
  /** What it starts, the program first; where the manager does not keep arguments apart they end at blanks. */
  readonly command?: readonly string[];
  /** Policies of a Windows task that end it: on battery, after a time limit. */
  readonly endedBy?: readonly string[];
}

/** Memory of a cgroup: of a container, a service, a session. */
export interface CgroupMemory {
  /** Its folder; also readable when the process is gone. */
  readonly path: string;
  /** The tightest limit of it and the groups around it. */
  readonly limitBytes?: number;
  /** Without file pages that the kernel takes back before it kills anything. */
  readonly usageBytes?: number;
  /** Processes that the kernel killed there for memory. */
  readonly oomKills?: number;
}

/** Processes and threads of a cgroup. */
export interface CgroupPids {
  readonly path: string;
  readonly count: number;
  readonly max: number;
}

/** Why a program may not listen on a port that is free. */
export interface PortRule {
  readonly kind: "privileged" | "excluded";
  readonly detail: string;
}

/** A line that a service printed. */
export interface ServiceLine {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly text: string;
}

/** What the system says of its own sleep. */
export interface SleepFacts {
  /** Slept since it booted, in all. */
  readonly sleptMs?: number;
  /** When it last woke (ms since 1970). */
  readonly wokeAt?: number;
}

/** What differs between Linux, macOS and Windows. Everything here only looks. */
export interface Host {
  /** Changes with every boot of the machine. */
  bootId(): Promise<string>;
  /** The process, or undefined if there is none with this pid. */
  process(pid: number): Promise<ProcessFacts | undefined>;
  /** Every process that this user may see. */
  processes(): Promise<ProcessFacts[]>;
  /** Services of gateways that the service manager knows; undefined where none answers (most containers). */
  services(): Promise<ServiceFacts[] | undefined>;
  /** The last lines a service printed, of a day at most. Undefined if nobody keeps them, or this user may not look. */
  serviceLog(service: ServiceFacts): Promise<ServiceLine[] | undefined>;
  /**
   * Processes whose environment carries `CLAWKIT_RUN=<mark>`: what a child of ours started, however deep. Empty
   * where environments cannot be read.
   */
  marked(mark: string): Promise<number[]>;
  /** Who listens on `port`; empty if nobody does. */
  portOwners(port: number): Promise<PortOwner[]>;
  /** Which processes of this machine are connected to `port`, here or elsewhere; `address` is the far end. */
  portClients(port: number): Promise<PortOwner[]>;
  /**
   * Which processes of this machine have a connection whose own end is `port`: a client may have been given it, and
   * then nobody can listen there. `address` is the near end.
   */
  portUsers(port: number): Promise<PortOwner[]>;
  /** Memory and files of a process; undefined if it is gone or may not be looked at. */
  usage(pid: number): Promise<ProcessUsage | undefined>;
  /** Where the memory of a process is accounted and limited; undefined where nothing is (macOS, Windows). */
  cgroupOf(pid: number): Promise<string | undefined>;
  cgroupMemory(path: string): Promise<CgroupMemory | undefined>;
  /** The tightest limit on processes around this one; undefined where there is none. */
  cgroupPids(pid: number): Promise<CgroupPids | undefined>;
  /** Whether a rule of the system keeps this user from listening there. */
  portRule(port: number): Promise<PortRule | undefined>;
  /** Undefined where the system does not tell. */
  sleep(): Promise<SleepFacts | undefined>;
  /**
   * What the kernel, and systemd-oomd, logged since `sinceMs` (wall clock) about memory, crashes and sleep. Undefined if
   * this user, or this container, may not look.
   */
  kernelLines(sinceMs: number): Promise<string[] | undefined>;
  /** Whether a process has a handler for a signal, so that it would survive it. */
  handlesSignal(pid: number, signal: number): Promise<boolean>;
}
