import { accessSync, constants } from 'node:fs'

/** Names the descriptor that is the protocol's, in the environment of the process that was begun for it. */
const VARIABLE = 'PATCHBAY_STDOUT'

/**
 * Keeps the client's pipe for the protocol alone: begins this process once more with a duplicate of descriptor 1, and with stderr as 1.
 * Then nothing that a child of a plugin, or native code, prints can reach the client. Does not return where it does that; the process
 * keeps its id, its arguments and its environment. Returns where it is done already, and where there is no way: on Windows, and
 * without /bin/sh.
 *
 * Node cannot duplicate a descriptor; the shell can. Only 0, 1 and 2 live on, so that 9 is free, and Node closes it for children.
 */
export function ownStdout() {
  if (process.env[VARIABLE] !== undefined || ownDescriptor !== undefined || typeof process.execve !== 'function') return
  try {
    accessSync(SHELL, constants.X_OK)
  } catch {
    return
  }
  const [, ...args] = process.argv
  process.execve(SHELL, [SHELL, '-c', 'exec 9>&1 1>&2 "$@"', SHELL, process.execPath, ...process.execArgv, ...args], {
    ...process.env,
    [VARIABLE]: '9',
  })
}

/** Whether the arguments of the command say that it serves on stdio; the config may say so as well. */
export function saysStdio([command, ...args]) {
  if (command !== 'start' && command !== 'dev') return false
  return args.some(
    (arg, index) => arg === '--stdio' || arg === '--transport=stdio' || (arg === 'stdio' && args[index - 1] === '--transport'),
  )
}

let ownDescriptor

/** The descriptor that is the protocol's; undefined when that is still 1. Taken out of the environment: it is nobody else's business. */
export function takeOwnDescriptor() {
  const given = process.env[VARIABLE]
  delete process.env[VARIABLE]
  if (given === '9') ownDescriptor = 9
  return ownDescriptor
}

const SHELL = '/bin/sh'
