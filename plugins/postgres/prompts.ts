import { definePrompt, Type } from '@mcp-patchbay/plugin-api'

export const dataExplore = definePrompt({
  name: 'data_explore',
  title: 'Explore the database',
  description: 'Answer a question from the PostgreSQL database, step by step.',
  arguments: Type.Object({ question: Type.String({ minLength: 1, description: 'What you want to know, in plain words' }) }),
  run: ({ question }) =>
    [
      'Answer this question from the PostgreSQL database:',
      '',
      question,
      '',
      'Begin with tables_list, and call tables_describe for each table that you need. Run queries that read: put values into `parameters`',
      'as $1, $2, and let SQL count and sum. Name the query that the answer comes from, and what the data does not say.',
    ].join('\n'),
})
