/** The process's exit codes; 78 is EX_CONFIG of sysexits. */
export const EXIT = Object.freeze({ done: 0, failed: 1, usage: 2, configuration: 78 })

/** Gives a command's work to the program that runs it; the number is the exit code. */
export type Run = (work: () => Promise<number>) => Promise<void>

/** What every command is given. */
export interface CommonOptions {
  readonly config?: string
  readonly deployment?: string
  readonly envFile?: string
}
