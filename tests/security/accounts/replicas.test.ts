import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addressIn, startAccountWorld } from '../../fixtures/auth/account-world.ts'
import { WebBrowser } from '../../fixtures/auth/web-browser.ts'
import { startRedis, withoutRedis } from '../../fixtures/redis.ts'

const CALLS = 200

test(
  'two hosts on one Redis serve two people with their own tokens, which either of them renews',
  { skip: withoutRedis },
  async (t) => {
    const redis = await startRedis(t)
    // A token lasts a second longer than the margin in which it is renewed.
    const world = await startAccountWorld(t, {
      hosts: 2,
      store: 'cache',
      config: { cache: { store: redis.url } },
      lifeSeconds: () => 31,
    })
    const [one = assert.fail(), two = assert.fail()] = world.hosts

    // The address that one host gave is opened at the other one.
    for (const person of ['ada', 'bob']) {
      const address = addressIn((await one.call(person)).text).replace(one.base, two.base)
      const browser = new WebBrowser(person)
      assert.match((await browser.press(await browser.open(address), 'Go on to')).html, /Your account is linked/)
      assert.equal(
        (await new WebBrowser(person).open(address.replace(two.base, one.base))).status,
        410,
        'it was used at the other',
      )
    }
    const done = await Promise.all(
      Array.from({ length: CALLS }, async (_, index) => {
        const person = index % 2 === 0 ? 'ada' : 'bob'
        const answer = await (index % 3 === 0 ? one : two).call(person, `note ${index}`)
        return [answer.text, world.asked.get(`note ${index}`), person] as const
      }),
    )
    for (const [text, asked, person] of done) assert.deepEqual([text, asked], [person, person])
    assert.equal(new Set(world.service.grants).size, world.service.grants.length, 'no refresh token was used twice')

    const browser = new WebBrowser('ada')
    await browser.press(await browser.open(`${two.base}/accounts`), 'Unlink hub')
    assert.equal((await one.call('ada')).isError, true)
    assert.equal((await one.call('bob')).text, 'bob')

    // A store that is away is an error, also where the server has a credential that the caller may use.
    const third = await world.addHost({
      entry: { serverCredentials: 'allow', config: { apiUrl: world.apiUrl, personalToken: 'server-token' } },
    })
    assert.equal((await third.call('bob')).text, 'bob')
    assert.equal((await third.call('cleo')).text, 'the server', 'the ladder goes on for who has linked nothing')
    await redis.kill()
    const away = await third.call('bob')
    assert.ok(away.isError)
    assert.match(away.text, /The store of account tokens did not answer/)
  },
)
