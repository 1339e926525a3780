import { mutantsOf } from './mutant.ts'

const peer = ['tests/unit/plugin/isolate-peer.test.ts']

export const channel = mutantsOf('channel', [
  {
    file: 'host/src/plugin/isolate/channel/peer.ts',
    noticedBy: peer,
    changes: [
      ['a plugin may answer the question that comes next', 'id <= lastId)', 'id <= lastId + 1)'],
      ['a plugin may answer what no number can be asked by', '!(id > 0 && id <= lastId)', '!(id <= lastId)'],
      ['a plugin throws errors that the host decides by', "readThrown(what, from === 'host')", 'readThrown(what, true)'],
      ['the bytes of answered questions count for ever', 'answeringBytes -= length', 'answeringBytes -= 0'],
      [
        'what came is read on after a fault',
        'if (closed || isFaulty) return',
        'if (closed) return',
        { equivalent: 'the socket is paused, and gives no more' },
      ],
    ],
  },
  {
    file: 'host/src/plugin/isolate/channel/frame.ts',
    noticedBy: peer,
    changes: [
      ['the largest frame allowed is refused', 'if (size > bounds.frameBytes)', 'if (size >= bounds.frameBytes)'],
      [
        'the largest header allowed is refused',
        'if (headerBytes > bounds.headerBytes)',
        'if (headerBytes >= bounds.headerBytes)',
      ],
      ['a header has no bound of its own', 'if (headerBytes > bounds.headerBytes)', 'if (headerBytes > bounds.frameBytes)'],
    ],
  },
  {
    file: 'host/src/plugin/isolate/channel/error-codec.ts',
    noticedBy: peer,
    changes: [['a plugin may throw any error of pins', 'PIN_FILE|MODULE', 'PIN_[A-Z_]+|MODULE']],
  },
  {
    file: 'host/src/plugin/isolate/channel/config-codec.ts',
    noticedBy: ['tests/unit/isolate-parts.test.ts'],
    changes: [
      ['the config in a process of its own can be changed', 'return freezeAll(config)', 'return config'],
      ['the secrets in a list are not named', 'value.forEach((item: unknown, index) => visit(item, [...path, index]))', '[]'],
    ],
  },
])
