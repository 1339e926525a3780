import { definePrompt, Type } from '@mcp-patchbay/plugin-api'

export const dataExplore = definePrompt({
  name: 'data_explore',
  title: 'Explore the database',
  description: 'Answer a question from the SQLite database, step by step.',
  arguments: Type.Object({ question: Type.String({ minLength: 1, description: 'What you want to know, in plain words' }) }),
  run: ({ question }) =>
    [
      'Answer this question from the SQLite database:',
      '',
      question,
      '',
      'List the tables first and describe the ones you need. Then run queries that read, with values in `parameters`, and aggregate in SQL',
      'rather than fetching every row. Show the query your answer rests on, and say what the data cannot tell.',
    ].join('\n'),
})
