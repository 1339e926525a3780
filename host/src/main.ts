import { run } from './cli/program.ts'

const code = await run(process.argv.slice(2))
// Not left to Node: a timer that a plugin forgot would keep the process for ever. What was written last goes out first.
process.stdout.write('', () => process.exit(code))
