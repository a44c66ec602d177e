/** One supervised process of the stack. */
export interface Part {
  name: string;
  /** Starts it and resolves when it serves. Rejects when it cannot. */
  launch(): Promise<RunningPart>;
}

export interface RunningPart {
  pid: number;
  exited: Promise<{ exitCode: number | null; signal: string | null }>;
  stop(): Promise<void>;
}
