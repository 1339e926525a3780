import assert from 'node:assert/strict'
import { inspect } from 'node:util'
import { test } from 'node:test'
import { hasCredential, Secret, SecretValue, ServiceError } from '@mcp-patchbay/plugin-api'

test('prints [secret] wherever a secret is printed', () => {
  const secret = new SecretValue(() => 'hunter2')
  const prints = [
    String(secret),
    ['a', secret, 'b'].join(' '),
    JSON.stringify({ secret }),
    inspect({ nested: { secret } }, { depth: null, showHidden: true }),
    inspect([secret], { customInspect: false, showHidden: true, depth: null }),
    Object.entries(secret).join(),
  ]
  for (const print of prints) assert.doesNotMatch(print, /hunter2/)
  assert.equal(prints[0], '[secret]')
  assert.equal(prints[2], '{"secret":"[secret]"}')
  assert.equal(prints[3], '{ nested: { secret: [secret] } }')
})

test('reveals a secret only where the host gave it along', () => {
  assert.equal(new SecretValue(() => 'hunter2').reveal(), 'hunter2')
  assert.throws(
    () => new SecretValue().reveal(),
    (error) => error instanceof ServiceError && error.code === 'PERMISSION_DENIED' && /capability/.test(error.fix ?? ''),
  )
})

test('describes a secret to the outside as a string that is only written', () => {
  assert.deepEqual(JSON.parse(JSON.stringify(Secret({ description: 'A token' }))), {
    type: 'string',
    writeOnly: true,
    description: 'A token',
  })
})

const whole: readonly (readonly [config: Record<string, unknown>, answer: boolean])[] = [
  [{}, false],
  [{ apiUrl: 'https://x' }, false],
  [{ personalToken: new SecretValue() }, true],
  [{ personalToken: '' }, false],
  [{ personalToken: undefined, apiKey: 'k' }, true],
  [{ username: 'u' }, false],
  [{ username: 'u', password: '' }, false],
  [{ username: 'u', password: 'p' }, true],
  [{ oauthClientSecret: 's' }, false],
  [{ oauthClientId: 'i', oauthClientSecret: 's' }, true],
]

for (const [config, answer] of whole)
  test(`${answer ? 'finds' : 'misses'} a whole credential in { ${Object.keys(config).join(', ')} }`, () => {
    assert.equal(hasCredential(config), answer)
  })
