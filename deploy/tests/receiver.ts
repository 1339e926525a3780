/** Takes what is sent to the ports it is given, and prints each body as a line: a collector and an Alertmanager for tests. */
import { createServer } from 'node:http'
import { json } from 'node:stream/consumers'

const print = (line: object): void => void process.stdout.write(`${JSON.stringify(line)}\n`)
for (const port of process.argv.slice(2))
  createServer((req, res) => {
    void json(req).then((body) => {
      res.setHeader('content-type', 'application/json').end('{}')
      print({ port: Number(port), body })
    })
  }).listen(Number(port), '127.0.0.1', () => print({ port: Number(port), body: 'listening' }))
