// Cases G11, H02 to H07, H10: a plugin in its own process that misbehaves is one plugin that misbehaves.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startProbe } from '../fixtures/probe.ts'
import { until } from '../fixtures/plugin-processes.ts'

for (const [what, code, why] of [
  ['exits', 'process.exit(0)', /it exited with code 0/],
  ['exits past all handlers', 'process.reallyExit(7)', /it exited with code 7/],
  ['aborts', 'process.abort()', /it aborted/],
  ['kills itself', "process.kill(process.pid, 'SIGSEGV')", /it was ended by SIGSEGV/],
  ['runs an endless loop', 'for (;;);', undefined],
  ['runs a pattern without end', "return /^(a+)+$/.test('a'.repeat(40) + '!')", undefined],
  ['fills its heap', 'const all = []; for (;;) all.push(new Array(1e5).fill(Math.random()))', /out of memory|ended by/],
] as const)
  test(`a plugin that ${what} is replaced, and the others answer on`, async (t) => {
    const probe = await startProbe(t, { limits: { pluginHeapMb: 64 } })
    const [text, other] = await Promise.all([probe.text(code, why ? 'code' : 'brief'), probe.client.call('neighbour_list')])
    assert.match(text, why ?? /did not answer within 1000 ms/)
    assert.match(other.text, /1,2/)
    await until(() => probe.log.some(({ event }) => event === 'plugin_restarted'))
    assert.deepEqual(await probe.run('return 2'), { value: 2 })
    assert.equal(probe.log.filter(({ event }) => event === 'plugin_exited').length, 1)
  })

test('memory outside the heap has its limit', { skip: process.platform !== 'linux' }, async (t) => {
  const probe = await startProbe(t, { limits: { pluginMemoryMb: 300 } })
  const text = await probe.text(
    `const all = []; for (;;) { all.push(Buffer.alloc(8_388_608, 1)); await new Promise((go) => setTimeout(go, 5)) }`,
  )
  assert.match(text, /it held \d+ MB of memory, more than the 300 MB/)
})

test('calls in a process that dies hear of it, and whether they can be made again', async (t) => {
  const probe = await startProbe(t)
  const [reading, writing] = await Promise.all([
    probe.text('await new Promise(() => {})'),
    probe.text('await new Promise(() => {})', 'change'),
    probe.text('setTimeout(() => process.exit(1), 50); await new Promise(() => {})'),
  ])
  assert.match(reading, /It only reads, so it can be called again/)
  assert.match(writing, /may have been changed or not/)
})

test('an answer that was given stays good when its plugin dies of something later', async (t) => {
  const probe = await startProbe(t)
  assert.deepEqual(await probe.run(`setTimeout(() => { throw new Error('late') }, 20); return 'given'`), { value: 'given' })
  await until(() => probe.log.some(({ event }) => event === 'plugin_restarted'))
  assert.deepEqual(await probe.run(`void Promise.reject(new Error('late')); return 'given'`), { value: 'given' })
  await until(() => probe.log.filter(({ event }) => event === 'plugin_restarted').length === 2)
})

for (const [what, source] of [
  ['never comes to an end while it is imported', 'await new Promise(() => {})'],
  ['runs an endless loop while it is imported', 'for (;;);'],
  ['exits while it is imported', 'process.exit(4)'],
] as const)
  test(`a plugin that ${what} fails, and its process is gone`, async (t) => {
    const probe = await startProbe(t, {
      limits: { loadTimeoutMs: 12_000 },
      files: { 'stuck/index.js': source },
      others: ['./stuck'],
    })
    const stuck = probe.host.list().plugins.find(({ name }) => name === 'stuck')
    assert.equal(stuck?.state, 'failed')
    assert.match(stuck?.reason?.message ?? '', /within 12000 ms|it exited with code 4/)
    assert.equal(probe.pids().length, 2)
    assert.match((await probe.client.call('neighbour_list')).text, /1,2/)
  })

test('a plugin that dies at every start is given up, and its tools go with one announcement', async (t) => {
  const probe = await startProbe(t)
  const generations: number[] = []
  probe.host.on('generation', ({ generation }) => generations.push(generation))
  await probe.run(`setTimeout(() => process.exit(1), 10); return 1`)
  for (let exits = 1; exits < 5; exits++) {
    await until(() => probe.log.filter(({ event }) => event === 'plugin_restarted').length >= exits)
    await probe.run(`setTimeout(() => process.exit(1), 10); return 1`)
  }
  await until(() => generations.length > 0)
  const plugin = probe.host.list().plugins.find(({ name }) => name === 'probe')
  assert.equal(plugin?.state, 'failed')
  assert.match(plugin?.reason?.message ?? '', /died five times within a minute/)
  assert.equal(generations.length, 1)
})
