import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addressIn, startAccountWorld } from '../fixtures/auth/account-world.ts'
import { startRedis, withoutRedis } from '../fixtures/redis.ts'
import { assertAccessible } from './accessible.ts'
import { openChromium } from './chromium.ts'

const CALLS = 1_000
const AT_ONCE = 16

test(
  'two people link two accounts of one service in Chromium, through one host and two replicas, and every call goes as its caller',
  { skip: withoutRedis, timeout: 180_000 },
  async (t) => {
    const redis = await startRedis(t)
    const world = await startAccountWorld(t, {
      hosts: 2,
      store: 'cache',
      config: { cache: { store: redis.url } },
      lifeSeconds: () => 35,
    })
    const [one = assert.fail(), two = assert.fail()] = world.hosts
    const browser = await openChromium()
    t.after(() => browser.close())
    const people = await Promise.all(
      ['ada', 'bob'].map(async (person) => {
        // Who is in front of the browser, for the authorization servers of this test. One of the two runs no script.
        const context = await browser.newContext({
          extraHTTPHeaders: { 'x-person': person },
          javaScriptEnabled: person === 'ada',
        })
        return { person, context, page: await context.newPage() }
      }),
    )
    for (const { person, context, page } of people) {
      const failures: string[] = []
      page.on('console', (message) => void failures.push(message.text()))
      await page.goto(addressIn((await one.call(person)).text))
      assert.equal(await page.getByRole('heading', { level: 1 }).innerText(), 'Link your hub account')
      assert.match(await page.getByRole('main').innerText(), new RegExp(`${person}@example\\.com, tenant acme`))
      if (person === 'ada') await assertAccessible(page, 'the consent')
      // By the keyboard alone: the one button is a step away.
      await page.keyboard.press('Tab')
      assert.match(await page.locator(':focus').innerText(), /^Go on to 127\.0\.0\.1/)
      await page.keyboard.press('Enter')
      await page.getByRole('heading', { name: 'Your account is linked' }).waitFor()
      const cookies = await context.cookies(one.base)
      assert.ok(cookies.some(({ name }) => name === '__Host-patchbay-session'))
      for (const { name, httpOnly, secure, sameSite } of cookies.filter((cookie) => cookie.name.includes('patchbay')))
        assert.deepEqual([name.startsWith('__Host-'), httpOnly, secure, sameSite], [true, true, true, 'Lax'])
      assert.deepEqual(failures, [], 'the policy of the pages blocks nothing of theirs')
    }

    // The address of one person in the other one's browser.
    const cleosAddress = addressIn((await one.call('cleo')).text)
    const [ada = assert.fail(), bob = assert.fail()] = people
    await ada.page.goto(cleosAddress)
    assert.match(await ada.page.getByRole('main').innerText(), /This link is not yours/)
    await assertAccessible(ada.page, 'a refusal')

    let next = 0
    const wrong: string[] = []
    const caller = async () => {
      for (let index = next++; index < CALLS; index = next++) {
        const { person } = index % 2 === 0 ? ada : bob
        const { text } = await (index % 3 === 0 ? one : two).call(person, `note ${index}`)
        if (text !== person || world.asked.get(`note ${index}`) !== person) wrong.push(`${index}: ${text}`)
      }
    }
    await Promise.all(Array.from({ length: AT_ONCE }, caller))
    assert.deepEqual(wrong, [])
    assert.equal(new Set(world.service.grants).size, world.service.grants.length, 'no refresh token was used twice')

    await ada.page.goto(`${one.base}/accounts`)
    await assertAccessible(ada.page, 'the list')
    await ada.page.getByRole('button', { name: 'Unlink hub' }).click()
    await ada.page.getByText('No account of ada@example.com is linked').waitFor()
    assert.equal((await two.call('ada')).isError, true)
    assert.equal((await two.call('bob')).text, 'bob')
  },
)
