import { run } from './cli/program.ts'
import { endProcess, guardStderr, stderrOutput } from './observability/log/stderr.ts'
import { atMost } from './data/async.ts'
import { flushStdout, guardStdout } from './transport/stdio/stdout-guard.ts'

// For the whole life of the process, before the first plugin: what plugins print goes to stderr. Only cli/ and stdio write to stdout.
guardStdout()
// Nothing waits for the reader of stderr, or for its disk.
guardStderr()
const argv = process.argv.slice(2)
const code = await run(argv)
// A command that prints an answer waits for its reader, like every other. A host that was told to stop stops.
const patienceMs = argv[0] === 'start' || argv[0] === 'dev' ? 1_000 : Infinity
const flushed = patienceMs === Infinity ? flushStdout() : atMost(patienceMs, flushStdout())
await Promise.all([flushed, stderrOutput().flush(patienceMs)])
// Not left to Node: a timer that a plugin forgot would keep the process forever.
endProcess(code)
