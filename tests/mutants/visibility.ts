import { mutantsOf } from './mutant.ts'

export const visibility = mutantsOf('visibility', [
  {
    file: 'host/src/server/catalog/visibility.ts',
    noticedBy: ['tests/unit/decisions/visibility-table.test.ts'],
    changes: [
      [
        'any of the needed permissions is enough',
        'for (const permission of needed) if (!permissions.has(permission)) return false',
        'if (needed.length > 0 && !needed.some((permission) => permissions.has(permission))) return false',
      ],
      [
        "a tool's own permission is enough where no scope grants the tool",
        'if (grants.get(permission)?.(name)) return true\n  return false',
        'if (grants.get(permission)?.(name)) return true\n  return needed.length > 0',
      ],
      [
        'a tag widens a toolset of the config',
        'toolsets.get(toolset)?.(name) ?? tags.includes(toolset)',
        'toolsets.get(toolset)?.(name) || tags.includes(toolset)',
      ],
      [
        'the last rule that refuses is the reason',
        'for (const rule of rules) if (rule.refuses',
        'for (const rule of rules.toReversed()) if (rule.refuses',
      ],
    ],
  },
])
