import { definePlugin, defineTool, Type } from '@mcp-patchbay/plugin-api'
import { Weather } from './client.js'

const forecastGet = defineTool({
  name: 'forecast_get',
  title: 'Forecast',
  description: "Read tomorrow's forecast of a city. Returns temperature and sky.",
  access: 'read',
  input: Type.Object({ city: Type.String({ minLength: 1, description: 'Its name in English' }) }),
  output: Type.Object({ city: Type.String(), celsius: Type.Number(), sky: Type.String() }),
  run: ({ city }, { client }) => client.forecast(city),
})

export default definePlugin({
  name: 'weather',
  description: 'Weather forecasts',
  config: Type.Object({ apiUrl: Type.String({ default: 'https://weather.example', description: 'Where the service is' }) }),
  isAuthConfigured: () => true,
  createClient: ({ http }) => new Weather(http),
  tools: [forecastGet],
})
