import { run } from './cli/program.ts'
import { flushStdout, guardStdout } from './transport/stdio/stdout-guard.ts'

// For the whole life of the process, before the first plugin: what plugins print goes to stderr. Only cli/ and stdio write to stdout.
guardStdout()
// Where stderr is a file on a full disk, or nobody reads it any more, what is printed is lost and the host serves on.
process.stderr.on('error', () => {})
const code = await run(process.argv.slice(2))
await flushStdout()
// Not left to Node: a timer that a plugin forgot would keep the process for ever.
process.exit(code)
