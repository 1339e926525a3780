import { mutantsOf } from './mutant.ts'

const read = ['tests/unit/data/long-texts.test.ts']
const onChannel = ['tests/unit/plugin/arguments-on-the-channel.test.ts']
const ofCalls = ['tests/unit/calls/long-texts-of-calls.test.ts']
const ofSchemas = ['tests/unit/data/unseen-texts.test.ts']

export const longTexts = mutantsOf('long texts', [
  {
    file: 'host/src/data/long-text/cut.ts',
    noticedBy: read,
    changes: [
      ['control characters pass in a long text', 'if (hasControl(bytes, start, to)) return undefined', ''],
      ['the last bytes of a long text may be control characters', 'first + rounds * 4; at < to', 'first + count * 4; at < to'],
      ['the first bytes of a long text may be control characters', 'at = from; at < first', 'at = first; at < first'],
      ['a long name becomes another', '|| isName(bytes, to + 1)) continue', ') continue'],
      [
        'a long text with an escape is passed on as it is written',
        'return nextBackslash > quote ? quote',
        'return quote > 0 ? quote',
      ],
    ],
  },
  {
    file: 'host/src/data/long-text/long-texts.ts',
    noticedBy: read,
    changes: [
      [
        'long texts outside of the arguments keep their marks',
        'placeTexts(kept).length === cut.texts.length',
        'placeTexts(kept).length > 0',
      ],
      [
        'a caller’s own mark is taken for ours',
        'if (!areEach(placeTexts(value), cut.texts.length)) return undefined',
        'if (value === undefined) return undefined',
      ],
      ['memory that is another caller’s by now is read once more', '    this.#bytes = undefined\n', ''],
    ],
  },
  {
    file: 'host/src/data/schema/unseen-texts.ts',
    noticedBy: ofSchemas,
    changes: [
      ['a pattern is not looked at', "  'patternProperties',", "  'pattern',\n  'patternProperties',"],
      ['a text may be longer than a schema says', 'longest = Math.min(longest, value)', 'longest = Math.max(longest, value)'],
      ['a schema that stands in no place for schemas is not looked at', 'DEFINITION.test(value)', 'value !== ""'],
    ],
  },
  {
    file: 'host/src/server/call/call.ts',
    noticedBy: ofCalls,
    changes: [
      ['the audit says how long a mark is', ' || deps.audit?.isOn()', ''],
      ['middleware sees a mark', ' || middleware.some(({ tool }) => tool)', ''],
      ['a kept answer is that of another text', ' || isCacheable(item)', ''],
      ['a person is asked about a mark', 'item.needsApproval || isCacheable', 'isCacheable'],
      ['a plugin in the host gets a mark', '.takesLongTexts === true', '.takesLongTexts !== null'],
    ],
  },
  {
    file: 'host/src/plugin/isolate/channel/arguments-codec.ts',
    noticedBy: onChannel,
    changes: [
      ['a number that is too large becomes null', "json.includes('null') ||", 'json.length < 0 ||'],
      ['-0 becomes 0 in a list', '/[:,[]0', '/[:]0'],
    ],
  },
])
