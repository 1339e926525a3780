import { mutantsOf } from './mutant.ts'

const events = ['tests/unit/calls/recent-events.test.ts']
const cancelled = ['tests/unit/calls/cancelled-in-a-session.test.ts']

/** Sessions and streams of the revisions of 2024 and 2025. */
export const sessions = mutantsOf('sessions', [
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
