import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { isolatedHost } from '../../fixtures/plugins/isolated-host.ts'

const at = await isolatedHost({ config: { limits: { callTimeoutMs: 20_000 } } })

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

/** Writes into the channel as the host's own code in the process does. */
const CHANNEL = `
  const fs = require('node:fs')
  const write = (bytes) => { while (bytes.length > 0) try { bytes = bytes.subarray(fs.writeSync(3, bytes)) } catch (error) { if (error.code !== 'EAGAIN') throw error } }
  const frame = (header, body = '') => {
    const text = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header))
    const prefix = Buffer.alloc(8)
    prefix.writeUInt32LE(text.length, 0)
    prefix.writeUInt32LE(Buffer.byteLength(body), 4)
    return Buffer.concat([prefix, text, Buffer.from(body)])
  }
  const send = (...message) => write(frame(...message))
  const forever = new Promise(() => {})
`

/** What a host may hold for a moment of what it reads and drops, in MB: far less than it is sent, far more than a busy machine collects late. */
const PASSING_MB = 200

/** How much more memory this process held at most while `work` ran, in MB. */
async function growth(work: () => Promise<unknown>): Promise<number> {
  collect()
  const before = process.memoryUsage.rss()
  let most = before
  const timer = setInterval(() => (most = Math.max(most, process.memoryUsage.rss())), 10)
  try {
    await work()
  } finally {
    clearInterval(timer)
  }
  return (Math.max(most, process.memoryUsage.rss()) - before) / 1_048_576
}

/** How much more this process holds on to when `work` is done, in MB. */
async function kept(work: () => Promise<unknown>): Promise<number> {
  const held = () => {
    collect()
    const { heapUsed, external } = process.memoryUsage()
    return heapUsed + external
  }
  const before = held()
  await work()
  return (held() - before) / 1_048_576
}

async function whyItDied(code: string): Promise<string> {
  const text = await at.crash(code)
  assert.match(text, /was restarted during this call/)
  return text
}

for (const stream of ['stdout', 'stderr'] as const)
  test(`a plugin that writes a gigabyte to ${stream} is ended, and the host keeps little of it`, async () => {
    const grown = await growth(async () => {
      const text = await whyItDied(`
        const fs = require('node:fs')
        const chunk = Buffer.alloc(65_536, 'x'.repeat(99) + '\\n')
        for (let left = 16_384; left > 0;) try { fs.writeSync(${stream === 'stdout' ? 1 : 2}, chunk); left-- } catch (error) { if (error.code !== 'EAGAIN') throw error }
        return 'all of it'`)
      assert.match(text, /it printed more than 16 MB within ten seconds/)
    })
    assert.ok(grown < PASSING_MB, `the host grew by ${grown} MB`)
    const printed = at.lines.all.filter(({ event }) => event === 'plugin_output')
    assert.ok(printed.length < 1_000, `${printed.length} lines of it are in the log`)
  })

test('what a plugin prints is a line of the log and never of an answer', async () => {
  assert.deepEqual(await at.run(`console.log('{"jsonrpc":"2.0","id":1,"result":{}}\\nprinted last'); return 'given'`), {
    value: 'given',
  })
  await at.lines.next(({ event, line }) => event === 'plugin_output' && line === 'printed last')
  const printed = at.lines.all.filter(({ event }) => event === 'plugin_output').slice(-2)
  assert.deepEqual(
    printed.map(({ stream, line }) => [stream, line]),
    [
      ['stdout', '{"jsonrpc":"2.0","id":1,"result":{}}'],
      ['stdout', 'printed last'],
    ],
  )
})

test('a message of 400 MB ends the plugin before the host holds it', async () => {
  const grown = await growth(async () => {
    const text = await whyItDied(`${CHANNEL}
      const bytes = Buffer.alloc(8); bytes.writeUInt32LE(400 * 1_048_576, 4); write(bytes)
      const chunk = Buffer.alloc(1_048_576); for (let left = 400; left > 0; left--) write(chunk)
      await forever`)
    assert.match(text, /it sent a message of 419430408 bytes, and 16777216 is the most/)
  })
  assert.ok(grown < PASSING_MB, `the host grew by ${grown} MB`)
})

for (const [what, bytes, why] of [
  ['a length of four gigabytes', 'write(Buffer.alloc(8, 255))', /it sent a message of 8589934598 bytes/],
  ['a header that is not JSON', `send('{]')`, /it sent a message whose header is not JSON/],
  [
    'a header that is nested deeply',
    `send('['.repeat(65) + ']'.repeat(65))`,
    /it sent a message whose header nests deeper than 64 levels/,
  ],
  [
    'a header of 16 MB',
    `send('['.repeat(8_000_000) + ']'.repeat(8_000_000))`,
    /it sent a header of 16000000 bytes, and 262144 is the most/,
  ],
  [
    'a header of many values',
    `send('[' + '{},'.repeat(60_000) + '0]')`,
    /it sent a message whose header holds more than 20000 values/,
  ],
  [
    'an error with five thousand causes',
    `send('[2,1,' + '{"kind":"host","code":"PLUGIN_IMPORT","message":"m","cause":'.repeat(4_000) + 'null' + '}'.repeat(4_000) + ']')`,
    /it sent a message whose header nests deeper than 64 levels/,
  ],
  [
    'headers again and again',
    `const one = frame([3, 'progress', { call: 0, message: 'x'.repeat(200_000) }]); for (let left = 200; left > 0; left--) write(one)`,
    /it sent more than 16 MB of headers in a second/,
  ],
  [
    'bodies that were not asked for, again and again',
    `const one = frame([0, 7e6, 'http', {}], Buffer.alloc(8_000_000)); for (let left = 60; left > 0; left--) write(one)`,
    /it sent more than 256 MB in a second that the host did not request|it took more than 500 ms of the host/,
  ],
  ['an object instead of a message', `send({ ask: 'http' })`, /it sent a message of no known form/],
  ['a number that is text', `send([1, '1', {}])`, /it sent a message of no known form/],
  [
    'an answer to what nobody asked',
    `send([1, 4_000_000_000, { as: 'text' }], 'x')`,
    /it answered a question that was not asked/,
  ],
] as const)
  test(`a plugin that writes ${what} into its channel is ended, and answers again in a new process`, async (t) => {
    t.after(at.holdClock())
    assert.match(await whyItDied(`${CHANNEL} ${bytes}; await forever`), why)
  })

test('a plugin that sends a million notifications in a second is ended, while the others are answered', async (t) => {
  t.after(at.holdClock())
  const grown = await growth(async () => {
    const beside = at.client.call('neighbour_sum')
    const text = await whyItDied(`${CHANNEL}
      const tell = frame([3, 'log', { level: 'info', event: 'again' }])
      const many = Buffer.concat(Array(10_000).fill(tell))
      for (let left = 100; left > 0; left--) write(many)
      await forever`)
    assert.match(text, /it sent more than 20000 notifications in a second/)
    assert.match((await beside).text, /1,2/)
  })
  assert.ok(grown < PASSING_MB, `the host grew by ${grown} MB`)
  const lines = at.lines.all.filter(({ event }) => event === 'plugin.again')
  assert.equal(lines.length, 2_000, 'of the lines in it as many as a second may have are in the log')
})

test('a plugin that asks and never reads the answers is ended before they fill the host', async () => {
  const grown = await growth(async () => {
    const text = await whyItDied(`${CHANNEL}
      await ctx.cache.set('large', 'x'.repeat(500_000), { ttlMs: 60_000 })
      // In the name of no call: so it is another cache, and as large.
      send([0, 1e6, 'cache', { call: 0, what: 'set', key: 'large', ttlMs: 60_000 }], JSON.stringify('x'.repeat(500_000)))
      for (let id = 2e6; id < 2e6 + 900; id++) send([0, id, 'cache', { call: 0, what: 'get', key: 'large' }])
      for (;;);`)
    assert.match(text, /it does not read what it is sent/)
  })
  assert.ok(grown < 64 + PASSING_MB, `the host grew by ${grown} MB`)
})

test('an answer of 100 MB is an error with its size, and its process goes on', async () => {
  const before = await at.run(`return process.pid`)
  assert.match(await at.tell(`return 'x'.repeat(100 * 1_048_576)`), /too large \(\d{9} bytes/)
  assert.deepEqual(await at.run(`return process.pid`), before)
})

test('a plugin that closes its channel is ended, and the call hears of it', async () => {
  assert.match(await whyItDied(`require('node:fs').closeSync(3); await new Promise(() => {})`), /restarted/)
})

test('a call has one answer when the plugin gives it twice, or gives that of another call', async () => {
  const { value } = await at.run(`${CHANNEL}
    const answer = (id, text) => send([1, id, { as: 'text' }], JSON.stringify({ value: text }))
    // Whatever was answered before; and this one, whose number is the next.
    for (let id = 1; id < 5; id++) answer(id, 'again')
    return 'own'`)
  assert.equal(value, 'own')
  const other = at.tell(`globalThis.begun?.(); await new Promise((resolve) => { globalThis.release = resolve }); return 'first'`)
  // A plugin may answer its own calls as it likes; each of them is answered once.
  const second = await at.run(`${CHANNEL}
    while (!globalThis.release) await new Promise(setImmediate)
    globalThis.release(); return 'second'`)
  assert.deepEqual([second, JSON.parse(await other)], [{ value: 'second' }, { value: 'first' }])
})

test('answers of no form the contract has are errors of that call and of nothing else', async () => {
  for (const sent of [
    `{ as: 'nonsense' }`,
    `{ as: 'json' }`,
    `null`,
    `{ as: 'input' }`,
    `{ as: 'json', __proto__: { polluted: 1 } }`,
  ])
    await at.tell(
      `${CHANNEL} for (let id = 1; id < 2_000; id++) try { send([1, id, ${sent}], '{"__proto__":{"polluted":1}') } catch {} await forever`,
      'brief',
    )
  at.passMinute()
})

test('questions and words of wrong types are answered with errors, or not at all', async () => {
  const { value } = await at.run(`${CHANNEL}
    const junk = [null, 1, 'x', [], [[]], { call: {} }, { call: 1e99, path: 1 }, { call: -1, what: '__proto__' }, { __proto__: null }, { call: 'constructor', how: 'toString', path: '/x' }]
    let id = 5e6
    for (const data of junk) {
      for (const what of ['http', 'cache', 'load', 'call', 'dispose', '__proto__', 'constructor', '']) send([0, id++, what, data])
      for (const what of ['log', 'metric', 'progress', 'clientLog', 'closeStream', 'ready', 'cancel', '__proto__']) send([3, what, data])
    }
    send([3, 'log', { level: 'constructor', event: 'x' }])
    send([3, 'log', { level: 'info', event: 'x'.repeat(1e5), fields: { __proto__: { polluted: 1 }, plugin: 'neighbour', level: 'error', time: 0 } }])
    send([3, 'metric', { kind: '__proto__', name: 'x', value: 1 }])
    send([3, 'metric', { kind: 'count', name: '\\n# HELP', value: NaN, labels: { '\\n': {}, __proto__: 'x' } }])
    return 'sent'`)
  assert.equal(value, 'sent')
  const line = await at.lines.next(({ event }) => event.startsWith('plugin.xxx'))
  assert.deepEqual([line.event.length, line['plugin'], line['level']], [207, 'hostile', 'info'])
})

test('a line of a plugin cannot be taken for one of the host, inline or not', async () => {
  const forged = `{ decision: 'allow', principal: 'admin', level: 'error', time: 0, plugin: 'other', call: 'other', event: 'audit' }`
  await at.run(`ctx.log.info('audit', ${forged}); ctx.log.child(${forged}).warn('plugin_reloaded', ${forged}); return 1`)
  await at.lines.next(({ event }) => event === 'plugin.plugin_reloaded')
  const lines = at.lines.all.filter(({ event }) => event === 'plugin.audit' || event === 'plugin.plugin_reloaded')
  assert.equal(lines.length, 2)
  for (const { level, plugin, call, fields, time, ...rest } of lines) {
    assert.deepEqual([plugin, Object.keys(rest)], ['hostile', ['event']])
    assert.match(String(level), /^(?:info|warn)$/)
    assert.match(String(call), /^[0-9a-f-]{36}$/)
    assert.match(String(time), /^2/)
    assert.equal((fields as Record<string, unknown>)['decision'], 'allow')
  }
  assert.ok(at.lines.all.every(({ event }) => event !== 'audit'))
})

test('names and values of metrics that a plugin makes up do not break or fill the metrics', async () => {
  await at.run(`for (let i = 0; i < 1_500; i++) ctx.log.debug('m'); return 1`)
  at.passMinute()
  const { value } = await at.run(`${CHANNEL}
    for (let i = 0; i < 1_500; i++) send([3, 'metric', { kind: 'count', name: 'made_up_' + i, value: 1, labels: { user: 'u' + i } }])
    return 1`)
  assert.equal(value, 1)
})

test('a key of a plugin names an entry of its own and nothing else, whatever is in it', async () => {
  const keys = [
    '../neighbour',
    'neighbour:plugin',
    'plugin/call/local',
    '__proto__',
    'constructor',
    'nul\\0',
    '',
    ' ',
    '*',
    '\\ud800',
    'k'.repeat(200),
  ]
  const { value } = await at.run(`
    const found = []
    for (const key of ${JSON.stringify(keys).replaceAll('\\\\', '\\')}) {
      try {
        if (await ctx.cache.get(key) !== undefined) found.push([key, 'was there'])
        await ctx.cache.set(key, { __proto__: null, of: key }, { ttlMs: 60_000 })
        const back = await ctx.cache.get(key)
        if (back?.of !== key) found.push([key, back])
        await ctx.cache.delete(key)
      } catch (error) { if (!/^CACHE_/.test(error.code)) found.push([key, String(error)]) }
    }
    return found`)
  assert.deepEqual(value, [])
  for (const [key, stored] of [
    [`'k'.repeat(1_048_576)`, `1`],
    [`7`, `1`],
    [`{}`, `1`],
    [`'none'`, `undefined`],
  ] as const)
    assert.match(
      JSON.stringify(await at.run(`await ctx.cache.set(${key}, ${stored}, { ttlMs: 60_000 })`)),
      /CACHE_(?:KEY|VALUE)/,
      key,
    )
})

test('a plugin fills the cache of the host as little as its memory', async () => {
  const more = await kept(async () => {
    const { value } = await at.run(`
      for (let i = 0; i < 30; i++) await ctx.cache.set('too large ' + i, 'x'.repeat(10_000_000), { ttlMs: 60_000 })
      for (let i = 0; i < 150; i++) await ctx.cache.set('large ' + i, 'x'.repeat(1_000_000), { ttlMs: 60_000 })
      return [await ctx.cache.get('too large 29'), await ctx.cache.get('large 0'), (await ctx.cache.get('large 149')).length]`)
    assert.deepEqual(value, [null, null, 1_000_000])
  })
  assert.ok(more < 100, `the host holds ${more} MB of it`)
})
