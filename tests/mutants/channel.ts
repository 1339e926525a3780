import { mutantsOf } from './mutant.ts'

const peer = ['tests/unit/plugin/isolate-peer.test.ts']

export const channel = mutantsOf('channel', [
  {
    file: 'host/src/data/window-limit.ts',
    noticedBy: ['tests/unit/data/window-limit.test.ts'],
    changes: [
      ['one more than the limit passes', 'used <= limit', 'used <= limit + 1'],
      ['an amount counts as one', 'used += amount', 'used += 1'],
      ['a window never ends', 'at - startedAt < windowMs', 'startedAt > 0'],
      ['a clock that is set back stops what is limited', ' && at >= startedAt', ''],
      ['what was dropped is counted again in the next window', 'dropped = 0\n    onNext', 'onNext'],
    ],
  },
  {
    file: 'host/src/plugin/isolate/channel/peer.ts',
    noticedBy: peer,
    changes: [
      ['a plugin may answer the question that comes next', 'id <= lastId)', 'id <= lastId + 1)'],
      ['a plugin may answer what no number can be asked by', '!(id > 0 && id <= lastId)', '!(id <= lastId)'],
      ['a plugin throws errors that the host decides by', "readThrown(thrown, from === 'host')", 'readThrown(thrown, true)'],
      [
        'a plugin has the host call tools',
        "if (!onCall) throw new FrameError('sent a message of no known form')",
        'if (!onCall) return',
      ],
      ['the bytes of answered questions count forever', 'answeringBytes -= bodyBytes', 'answeringBytes -= 0'],
      [
        'what came is read on after a fault',
        'return closed !== undefined || isFaulty',
        'return closed !== undefined',
        { equivalent: 'the socket is paused, and gives no more' },
      ],
    ],
  },
  {
    file: 'host/src/plugin/isolate/channel/frame-reader.ts',
    noticedBy: peer,
    changes: [
      ['the largest frame allowed is refused', 'if (size > bounds.frameBytes)', 'if (size >= bounds.frameBytes)'],
      [
        'the largest header allowed is refused',
        'if (headerBytes > bounds.headerBytes)',
        'if (headerBytes >= bounds.headerBytes)',
      ],
      ['a header has no bound of its own', 'if (headerBytes > bounds.headerBytes)', 'if (headerBytes > bounds.frameBytes)'],
      [
        'what is read of the next frame is lost when there is more room',
        'memory.copy(target, 0, from, to)',
        'memory.copy(target, 0, from, from)',
      ],
      [
        'a body ends where its memory does',
        'memory.subarray(headerAt + headerBytes, from + size)',
        'memory.subarray(headerAt + headerBytes, to)',
      ],
    ],
  },
  {
    file: 'host/src/plugin/isolate/channel/frame-writer.ts',
    noticedBy: peer,
    changes: [
      ['a header may be as long as it likes', 'if (headerBytes > maxHeaderBytes)', 'if (headerBytes > Infinity)'],
      [
        'memory is written over before it was sent',
        'own && (() => pages.giveBack(own))',
        'own && (pages.giveBack(own), undefined)',
      ],
    ],
  },
  {
    file: 'host/src/plugin/isolate/calls/numbered-callers.ts',
    noticedBy: ['tests/unit/plugin/isolate-numbered-callers.test.ts'],
    changes: [
      [
        'a number that stands for another caller by now is used',
        'if (before && owners[before.number] === before)',
        'if (before)',
      ],
      ['callers with different credentials have one number', '`${credentialKey} ${said}`', 'said'],
      ['what a client can do is not told apart', "isEmpty(capabilities) ? '' :", "true ? '' :"],
      ['a plugin learns who the caller is', 'principal: opaque(principal)', 'principal'],
      ['a plugin learns the fingerprint of a credential', 'credentialKey: hide(credentialKey)', 'credentialKey'],
    ],
  },
  {
    file: 'host/src/plugin/isolate/calls/idle-watch.ts',
    noticedBy: ['tests/unit/plugin/idle-watch.test.ts'],
    changes: [
      ['a process is ended while a call is in it', 'inside > 0 ? ms :', 'false ? ms :'],
      ['a process is ended although it was called a moment ago', 'lastAt + ms - now()', '0'],
      ['a process that may not be ended is ended', 'if (ms === 0)', 'if (ms < 0)'],
    ],
  },
  {
    file: 'host/src/plugin/isolate/supervise.ts',
    noticedBy: ['tests/integration/idle-plugins.test.ts'],
    changes: [
      ['work in the background is ended', 'services.plugin.start === undefined ||', 'true ||'],
      ['no call wakes what is idle', 'if (isIdle) returning = resume()', ''],
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
