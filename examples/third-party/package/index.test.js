import assert from 'node:assert/strict'
import { test } from 'node:test'
import { callTool, checkPlugin, fakeHttp } from '@mcp-patchbay/plugin-api/testing'
import weather from './index.js'

checkPlugin(weather)

test('asks the service for the city, whatever its name', async () => {
  const oslo = { city: 'Oslo/Bislett', celsius: -2, sky: 'snow' }
  const http = fakeHttp([{ path: '/forecast/Oslo%2FBislett', json: oslo }])
  assert.deepEqual(await callTool(weather, 'forecast_get', { city: 'Oslo/Bislett' }, { http }), oslo)
})
