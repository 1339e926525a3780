import { mutantsOf } from './mutant.ts'

export const search = mutantsOf('search', [
  {
    file: 'host/src/server/call/search-answers.ts',
    noticedBy: ['tests/unit/decisions/search-answers-table.test.ts'],
    changes: [
      ['tools_describe gives definitions without a bound', 'let left = maxBytes / 2', 'let left = Infinity'],
      ['every hit comes whole while there is room', 'index < MAX_WHOLE && left >= 0', 'left >= 0'],
      ['five hits come whole however long they are', 'index < MAX_WHOLE && left >= 0', 'index < MAX_WHOLE'],
      ['a small result is filled by the first hits', 'Math.min(MAX_WHOLE_CHARACTERS, maxBytes / 4)', 'MAX_WHOLE_CHARACTERS'],
      ['hits carry metadata', '{ icons: _icons, _meta, ...definition }', '{ icons: _icons, ...definition }'],
      ['hits carry pictures', '{ icons: _icons, _meta, ...definition }', '{ _meta, ...definition }'],
      ['a tool named twice is described twice', 'of new Set(names)', 'of names'],
    ],
  },
  {
    file: 'host/src/server/catalog/search-tools.ts',
    noticedBy: ['tests/unit/decisions/search-answers-table.test.ts'],
    changes: [
      ['a tools_call with a key that its schema does not have calls the tool', ' || Object.keys(others).length > 0', ''],
      ['tools_call calls itself', 'name === TOOLS_CALL || ', ''],
      ['arguments that are no object are passed on', ' || !isObject(inner)', ''],
    ],
  },
  {
    file: 'host/src/server/catalog/reach.ts',
    noticedBy: ['tests/unit/decisions/search-answers-table.test.ts'],
    changes: [
      ['a tool is said to be found where there is no search', 'view.search !== undefined && view.callable', 'view.callable'],
      ['a tool is said to be listed that is only found', 'view.tools.some(', 'view.callable.some('],
    ],
  },
  {
    file: 'host/src/server/catalog/tool-index.ts',
    noticedBy: ['tests/unit/decisions/search-answers-table.test.ts'],
    changes: [
      [
        'a search finds what the list of another time has',
        '.filter(({ id }) => places.has(String(id)))',
        '.filter(({ id }) => String(id))',
      ],
    ],
  },
])
