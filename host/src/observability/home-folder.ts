import { homedir } from 'node:os'

/** The home folder of the user; undefined for a user who has none, as in a container that runs as a number of its own. */
export function homeFolder(): string | undefined {
  try {
    return homedir() || undefined
  } catch {
    return undefined
  }
}
