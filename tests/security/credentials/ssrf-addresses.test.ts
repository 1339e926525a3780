import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isPublicAddress } from '../../../host/src/network/connect/address-guard.ts'
import { refusal, serviceHttp } from '../../fixtures/http/service-http.ts'

const reserved = [
  '0.0.0.0',
  '0.1.2.3',
  '10.0.0.1',
  '100.64.0.1',
  '100.100.100.200',
  '127.0.0.1',
  '127.255.255.254',
  '168.63.129.16',
  '169.254.169.254',
  '172.16.0.1',
  '172.31.255.255',
  '192.0.0.192',
  '192.0.2.1',
  '192.88.99.1',
  '192.168.1.1',
  '198.18.0.1',
  '198.51.100.1',
  '203.0.113.1',
  '224.0.0.1',
  '239.255.255.250',
  '240.0.0.1',
  '255.255.255.255',
  '::',
  '::1',
  '::127.0.0.1',
  '::ffff:127.0.0.1',
  '::ffff:7f00:1',
  '::ffff:8.8.8.8',
  '::ffff:0:127.0.0.1',
  '64:ff9b::7f00:1',
  '64:ff9b::10.0.0.1',
  '64:ff9b::169.254.169.254',
  '64:ff9b:1::7f00:1',
  '100::1',
  '2001::1',
  '2001:0:7f00:1::',
  '2001:db8::1',
  '2002:7f00:1::',
  '2002:a00:1::',
  '3fff::1',
  '5f00::1',
  'fc00::1',
  'fd00:ec2::254',
  'fe80::1',
  'fe80::1%eth0',
  'fec0::1',
  'ff02::1',
  '2606:4700::1111%eth0',
  'localhost',
  '',
]
for (const address of reserved)
  test(`${address || 'nothing'} is not a public address`, () => {
    assert.equal(isPublicAddress(address), false)
  })

const open = [
  '1.1.1.1',
  '8.8.8.8',
  '100.63.255.255',
  '100.128.0.1',
  '172.15.0.1',
  '172.32.0.1',
  '198.20.0.1',
  '2606:4700::1111',
  '2a00:1450::1',
  '64:ff9b::8.8.8.8',
]
for (const address of open)
  test(`${address} is a public address`, () => {
    assert.equal(isPublicAddress(address), true)
  })

const spellings = [
  'http://127.1/',
  'http://0x7f.1/',
  'http://2130706433/',
  'http://0177.0.0.1/',
  'http://017700000001/',
  'http://0/',
  'http://127.0.0.1./',
  'http://[::ffff:127.0.0.1]/',
  'http://[::ffff:7f00:1]/',
  'http://[0:0:0:0:0:0:0:1]/',
  'http://[64:ff9b::7f00:1]/',
  'http://[2002:7f00:1::]/',
  'http://169.254.169.254/latest/meta-data/',
  'http://[fd00:ec2::254]/latest/meta-data/',
  'http://100.100.100.200/latest/meta-data/',
  'http://168.63.129.16/',
  'http://１２７.０.０.１/',
  'http://①②⑦.0.0.1/',
  'http://127。0。0。1/',
  'http://localhost/',
  'https://127.0.0.1:443/',
]
for (const url of spellings)
  test(`a plugin that may fetch from any public address cannot fetch ${url}`, async () => {
    await using http = serviceHttp({ extraHosts: ['public'] })
    const error = await refusal(http.text(url), 'PERMISSION_DENIED')
    assert.match(error.message, /is refused: the host is not at a public address$/)
  })

for (const url of ['http://localhost\\@example.com/', 'http://ada@127.0.0.1/', 'http://example.com:80@127.0.0.1/'])
  test(`a plugin that may fetch from any public address cannot hide a host as in ${url}`, async () => {
    await using http = serviceHttp({ extraHosts: ['public'] })
    await refusal(http.text(url), 'INVALID_INPUT')
  })
