import { mutantsOf } from './mutant.ts'

const events = ['tests/unit/calls/recent-events.test.ts']
const cancelled = ['tests/unit/calls/cancelled-in-a-session.test.ts']
const lines = ['tests/mcp_protocol/stdio-lines.test.ts']

/** Sessions and streams of the revisions of 2024 and 2025. */
export const sessions = mutantsOf('sessions', [
  {
    file: 'host/src/transport/stdio/line-transport.ts',
    noticedBy: lines,
    changes: [
      [
        'all calls of a client begin at once',
        'if (this.#unanswered.size + this.#waiting.length >= this.#options.maxAtOnce) return true',
        '',
      ],
      ['calls begin for a client that does not read', 'return this.#writer.isFull && (!this', 'return false && (!this'],
      ['a cancelled request is begun all the same', 'this.#queue.cancel(id)', ''],
    ],
  },
  {
    file: 'host/src/transport/http/sending/pipelined.ts',
    noticedBy: ['tests/integration/http-edge/http-edge-connections.test.ts'],
    changes: [['requests of one connection are served at once', 'if (res.socket) return serve()', 'if (res) return serve()']],
  },
  {
    file: 'host/src/transport/http/sending/unread-answers.ts',
    noticedBy: ['tests/unit/network/unread-answers.test.ts'],
    changes: [
      ['answers that nobody reads are held without bound', 'while (this.#bytes > this.#mostBytes)', 'while (false)'],
      ['what was read counts as unread', 'this.#bytes -= known.bytes\n', ''],
      ['a client that reads slowly goes before those that read nothing', 'one[1].taken < found[1].taken', 'false'],
    ],
  },
  {
    file: 'host/src/transport/fast-path/begin-call.ts',
    noticedBy: lines,
    changes: [['a call of a tool that is another one now is an error of the host', "error.code === 'TOOL_UNKNOWN'", 'false']],
  },
  {
    file: 'host/src/transport/streamable/event-store.ts',
    noticedBy: events,
    changes: [
      [
        'a client that has the answer opens its stream again and again',
        'event.number >= state.last',
        'event.number > state.last',
      ],
      ['the newest event is dropped when it is large', 'while (this.#events.length > 1 &&', 'while (this.#events.length > 0 &&'],
    ],
  },
  {
    file: 'host/src/transport/streamable/session-transport.ts',
    noticedBy: cancelled,
    changes: [
      ['a cancelled request closes the stream of its batch', 'if (!batched) this.closeSSEStream(id)', 'this.closeSSEStream(id)'],
      ['an id may be twice in a batch', ' || requests.indexOf(id) !== index', ''],
      ['ids of a message that is refused stay in use', 'if (reused === undefined) for (const id', 'for (const id'],
    ],
  },
  {
    file: 'host/src/transport/streamable/sse.ts',
    noticedBy: ['tests/mcp_protocol/asking-the-client.test.ts'],
    changes: [
      [
        'while the host shuts down, what a client answers is refused',
        "if (options.isDraining() && 'method' in message && 'id' in message)",
        'if (options.isDraining())',
      ],
    ],
  },
])
