/** A collector of OpenTelemetry that takes everything and keeps nothing; prints its port. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

const server = createServer((req, res) => {
  req.on('end', () => res.setHeader('content-type', 'application/json').end('{}')).resume()
})
server.listen(0, '127.0.0.1', () => console.log((server.address() as AddressInfo).port))
